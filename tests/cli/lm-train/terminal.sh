# What stays on a terminal when a run ends, and when there is nothing left to do.
seq 1 200 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
o='--arch gpt2 --layers 1 --width 16 --heads 2 --vocab 8 --seq-len 8 --batch 4 --steps 3'
for _ in 1 2; do
  script -qec "lm-train $o -o run ids.jsonl" /dev/null > shown < /dev/null; echo "status $?"
  tr '\r' '\n' < shown | sed -E 's/\x1b\[[0-9;]*[A-Za-z]//g; s/loss [0-9.]+/loss X/; s/[0-9.]+ ?m?s: /T: /' | grep . | tail -n 1
done
script -qec "lm-train -q $o --seed 1 -o quiet ids.jsonl" /dev/null < /dev/null
