echo '{"text":"a"}' > in.jsonl
lm-dedup minhash --preset olmo3 in.jsonl; echo "status $?"
lm-dedup minhash --perms 128 --bands 4 in.jsonl; echo "status $?"
lm-dedup minhash --bands 100000 in.jsonl; echo "status $?"
lm-dedup minhash --threshold 0 in.jsonl; echo "status $?"
lm-dedup minhash --attr 'a.b' in.jsonl; echo "status $?"
lm-dedup minhash --presett fineweb in.jsonl; echo "status $?"
