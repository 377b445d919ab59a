# shellcheck shell=bash disable=SC2034
# Scores of sixty languages, a few draws: the contract is tested, not the statistics.
verb=languages
args=(--by lang --pivot l0 --bootstrap 20)
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    pad = sprintf("%380s", "")
    gsub(/ /, "w", pad)
    for (i = 0; i < n; ++i)
      printf "{\"id\":\"r%d\",\"lang\":\"l%d\",\"score\":%d,\"answer\":\"%d\",\"answer_lang\":\"l1\",\"pad\":\"%s\"}\n", int(i / 60), i % 60, rand() < 0.5, int(rand() * 3), pad
  }'
}
output=file
recordwise=0
bad_record='{"lang":7}'
empty_exit=0
big_record=0  # its record has no language
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=60
full_kb=4
skip=(long_stream)  # it repeats its records, and a language has one of an item
