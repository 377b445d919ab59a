# shellcheck shell=bash disable=SC2034
# infill: a hole of one token between a word and another.
verb=infill
setup() {
  lm-tokenize train -q -n 300 --special-token '<|endoftext|>' --special-token '<mask_1>' --special-token '<sep>' \
    --special-token '<eom>' "$data" -o vocabulary/
  lm-transform infill -q -m vocabulary "$data" | lm-train -q --objective sft --no-eos --arch llama --layers 1 --width 16 \
    --heads 2 --seq-len 1024 --batch 1 --steps 1 --tokenizer vocabulary/ - -o model
}
args=(-m model/final --max-tokens 1 --on-error fail)
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    text = sprintf("%300s", "")
    gsub(/ /, "w", text)
    for (i = 0; i < n; ++i)
      printf "{\"id\":\"r%d\",\"prefix\":\"a%d\",\"suffix\":\"b%d\",\"text\":\"%s\"}\n", i, int(rand() * 9), i % 7, text
  }'
}
foreign=append
bad_record='{"prefix":7,"suffix":"b"}'
big_record=0  # its record has no prefix
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=15
