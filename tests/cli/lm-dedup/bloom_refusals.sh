printf '%s\n' '{"text":"a"}' > in.jsonl
lm-dedup --bloom-n 100 --bloom-out a.bloom in.jsonl -o /dev/null
lm-dedup --bloom-n 100 --bloom-out b.bloom --seed 1 in.jsonl -o /dev/null
lm-dedup bloom merge a.bloom b.bloom -o c.bloom; echo "status $?"
lm-dedup paragraph --bloom-in a.bloom in.jsonl; echo "status $?"
head -c 5000 a.bloom > cut.bloom; lm-dedup --bloom-in cut.bloom in.jsonl; echo "status $?"
lm-dedup --bloom-in in.jsonl in.jsonl; echo "status $?"
lm-dedup --bloom-in none.bloom in.jsonl; echo "status $?"
lm-dedup --bloom-size 1M in.jsonl; echo "status $?"
lm-dedup --exact --bloom-n 10 in.jsonl; echo "status $?"
lm-dedup bloom merge a.bloom; echo "status $?"
lm-dedup bloom; echo "status $?"
ls
