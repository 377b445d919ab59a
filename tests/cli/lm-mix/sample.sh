# A sample depends on seed, source and id alone: monotone in P, stable under re-sharding and order.
for i in $(seq 1 2000); do echo "{\"id\":\"d$i\",\"source\":\"s$((i % 3))\",\"text\":\"t\"}"; done > in.jsonl
s() { lm-mix -z none "$@"; }
s --sample 0.05 in.jsonl > five.jsonl; s --sample 0.1 in.jsonl > ten.jsonl; s --sample 1.3 in.jsonl > more.jsonl
wc -l < five.jsonl; wc -l < ten.jsonl; wc -l < more.jsonl
comm -23 <(sort five.jsonl) <(sort ten.jsonl) | wc -l
s --sample 1 in.jsonl | cmp - in.jsonl; s --sample 0 in.jsonl | wc -l
head -700 in.jsonl > a.jsonl; tail -n +701 in.jsonl > b.jsonl
{ s --sample 0.1 b.jsonl; s --sample 0.1 a.jsonl; } | sort | cmp - <(sort ten.jsonl)
tac in.jsonl | s --sample 0.1 | tac | cmp - ten.jsonl
s --sample 0.1 --seed 1 in.jsonl | cmp -s - ten.jsonl; echo "another seed $?"
# Copies, and ids of their own; numbers as ids, ids with escapes.
printf '%s\n' '{"id":7,"m":1}' '{"id":"a\"\u0062","metadata":{"k":1}}' > two.jsonl
s --sample 3 two.jsonl
s --sample 2 --unique-ids two.jsonl
# By an expression.
s --sample 'max(0, n - 1)' <<< '{"id":1,"n":3}'
for threads in 1 2 7; do s -t $threads --sample 1.3 in.jsonl | cmp - more.jsonl; done
