# shellcheck shell=bash disable=SC2034
# align: all prompts are read first, then two steps with rewards of a command.
verb=align
setup() {
  lm-tokenize train -q -n 300 --special-token '<|endoftext|>' "$data" -o vocabulary/
  lm-tokenize -q -m vocabulary "$data" | lm-train -q --arch llama --layers 1 --width 16 --heads 2 --seq-len 64 --batch 1 \
    --steps 1 --tokenizer vocabulary/ - -o model
}
args=(-q --init-from model/final --reward-command "sed -u 's,.*,1,'" --method rloo --batch 2
  --samples 2 --max-tokens 2 --steps 2 --warmup 0 --save-every 1)
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    text = sprintf("%300s", "")
    gsub(/ /, "w", text)
    for (i = 0; i < n; ++i)
      printf "{\"id\":\"r%d\",\"prompt\":\"a%d\",\"text\":\"%s\"}\n", i, int(rand() * 9), text
  }'
}
output=folder
stateful=1
folders=1
recordwise=0
bad_record='{"prompt":7}'
empty_exit=65
nowhere=/dev/null/out  # folders on the way are made
big_record=0  # its record has no prompt
records=12000
runs=20
kills=4
fault_runs=8
starts=30
long_mb=15
