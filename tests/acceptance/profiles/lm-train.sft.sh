# shellcheck shell=bash disable=SC2034
# Fine-tuning of a new model of 4,000 weights on records of ids, all of which are read first.
args=(--objective sft --no-eos --arch llama --layers 1 --width 16 --heads 2 --vocab 64 --seq-len 32
  --batch 16 --epochs 1 --schedule constant --warmup 0 --save-every 100 --log-every 100)
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    text = sprintf("%300s", "")
    gsub(/ /, "w", text)
    for (i = 0; i < n; ++i) {
      printf "{\"id\":\"r%d\",\"prompt_ids\":[%d,%d", i, int(rand() * 64), i % 64
      k = int(rand() * 12)
      for (j = 0; j < k; ++j) printf ",%d", (i + j * j) % 64
      printf "],\"completion_ids\":[%d,%d],\"text\":\"%s\"}\n", int(rand() * 64), k, text
    }
  }'
}
output=folder
stateful=1
folders=1
recordwise=0
bad_record='{"prompt_ids":[1],"completion_ids":[64]}'
empty_exit=65
nowhere=/dev/null/out  # folders on the way are made
big_record=0  # its record has no ids
records=12000
runs=20
kills=4
fault_runs=14
starts=50
long_mb=15
