printf '%s\n' '{"text":"a"}' '{"text":' > in.jsonl
lm-dedup minhash --table t.jsonl in.jsonl -o out.jsonl; echo "status $?"
lm-dedup --bloom-n 10 --bloom-out f.bloom in.jsonl -o out.jsonl; echo "status $?"
ls -A
