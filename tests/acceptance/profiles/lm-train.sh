# shellcheck shell=bash disable=SC2034
# A model of 4,000 weights. The stream, not --steps, ends the run, so that all of it must be read; -q
# for the warning that this gives.
args=(-q --arch llama --layers 1 --width 16 --heads 2 --vocab 64 --seq-len 16 --batch 16 --steps 1e6
  --schedule constant --warmup 0 --save-every 100 --log-every 100)
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    text = sprintf("%300s", "")
    gsub(/ /, "w", text)
    for (i = 0; i < n; ++i) {
      printf "{\"id\":\"r%d\",\"input_ids\":[%d", i, int(rand() * 64)
      k = 10 + int(rand() * 20)
      for (j = 0; j < k; ++j) printf ",%d", (i + j * j) % 64
      printf "],\"text\":\"%s\"}\n", text
    }
  }'
}
output=folder
stateful=1
folders=1
recordwise=0
bad_record='{"input_ids":[64]}'
empty_exit=65
nowhere=/dev/null/out  # folders on the way are made
big_record=0  # its record has no ids
records=12000
runs=20
kills=4
fault_runs=14
starts=50
long_mb=15
