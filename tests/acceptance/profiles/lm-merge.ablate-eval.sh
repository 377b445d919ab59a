# shellcheck shell=bash disable=SC2034
# Pairs of six units, each with a model trained in one step, on a few held-out records.
verb='ablate eval'
args=(--eval one.jsonl --eval two.jsonl --bos)
setup() {
  "$bin/helpers/make-tiny-model" "$work/model"
  awk 'BEGIN { srand(7); for (i = 0; i < 300; ++i) printf "{\"key\":\"%s\",\"text\":\"the end %d\"}\n", substr("abcdef", 1 + i % 6, 1), rand() * 1e6 }' >units.jsonl
  lm-merge ablate init -q --by key --valid 0 --test 0 -m model units.jsonl -o units
  lm-merge ablate train -q units --seed-model model --steps 1 --batch 2 --seq-len 16 -o pool
  head -n 10 units.jsonl >one.jsonl
  tail -n 10 units.jsonl >two.jsonl
}
streams=0
output=file
operands=(pool)
lacking=(missing)
kills=4
fault_runs=10
starts=20
full_kb=4
