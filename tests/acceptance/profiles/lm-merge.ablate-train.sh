# shellcheck shell=bash disable=SC2034
# Six units, a model each, trained in one step by programs that this one starts.
verb='ablate train'
args=(-q --seed-model model --steps 1 --batch 2 --seq-len 16)
setup() {
  "$bin/helpers/make-tiny-model" "$work/model"
  awk 'BEGIN { srand(7); for (i = 0; i < 300; ++i) printf "{\"key\":\"%s\",\"text\":\"the end %d\"}\n", substr("abcdef", 1 + i % 6, 1), rand() * 1e6 }' >units.jsonl
  lm-merge ablate init -q --by key --valid 0 --test 0 -m model units.jsonl -o units
}
streams=0
output=folder
result=f  # the last one
usage_args=(--train-option --steps=9)  # what is known before a model is trained
nowhere=/dev/null/out  # folders on the way are made
stateful=1
folders=1
operands=(units)
lacking=(missing)
kills=3
fault_runs=5
starts=5
full_kb=4
