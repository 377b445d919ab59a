# shellcheck shell=bash disable=SC2034
# Tokens of sixty languages, a few draws: the contract is tested, not the statistics.
verb=parity
setup() { "$bin/helpers/make-tiny-model" "$work/model"; }
args=(--tokenizer "$work/model" --by lang --pivot l0 --bootstrap 20)
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    text = sprintf("%400s", "")
    gsub(/ /, "w", text)
    for (i = 0; i < n; ++i)
      printf "{\"id\":\"r%d\",\"lang\":\"l%d\",\"text\":\"%s\"}\n", int(i / 60), i % 60, substr(text, 1, 350 + int(rand() * 50))
  }'
}
output=file
recordwise=0
bad_record='{"lang":"aa","text":7}'
empty_exit=65  # without records there is no pivot
big_record=0   # its record has no language
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=60
full_kb=4
skip=(long_stream)  # it repeats its records, and a language has one of an item
