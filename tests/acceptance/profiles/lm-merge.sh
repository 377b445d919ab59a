# shellcheck shell=bash disable=SC2034
# TIES of two fine-tunes of a model of 460,000 weights: several tiles, every pass.
args=(--method ties --base base --set density=0.5)
operands=(a:0.5 b:0.3)
setup() {
  local o=(-q --seq-len 8 --batch 2 --schedule constant --warmup 0 --lr 0.01) seed=0
  seq 1 100 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' >ids.jsonl
  lm-train "${o[@]}" --arch llama --layers 2 --width 128 --heads 2 --vocab 256 --steps 1 -o run ids.jsonl
  cp -rL run/final base
  for name in a b; do
    seed=$((seed + 1))
    lm-train "${o[@]}" --init-from base --steps $seed -o "run-$name" ids.jsonl
    cp -rL "run-$name/final" $name
  done
}
output=folder
streams=0
result=.
usage_args=(--set nothing)
folders=1
nowhere=/dev/null/out  # folders on the way are made
kills=8
fault_runs=25
starts=50
