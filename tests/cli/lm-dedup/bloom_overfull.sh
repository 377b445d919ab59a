seq 100000 | awk '{ printf "{\"text\":\"%d\"}\n", $1 }' > in.jsonl
lm-dedup --bloom-n 1000 --bloom-p 0.01 in.jsonl -o out.jsonl; echo "status $?"
lm-dedup --bloom-n 1000 --bloom-p 0.01 --on-overfull stop in.jsonl -o no.jsonl; echo "status $?"
ls
