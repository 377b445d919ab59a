# shellcheck shell=bash disable=SC2034
# Ids are scored, a few tokens each: the contract is tested, not the model.
verb=bpb
setup() { "$bin/helpers/make-tiny-model" "$work/model"; }
args=(-m "$work/model" --by lang --id-field n --field id --bootstrap 20)
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    pad = sprintf("%400s", "")
    gsub(/ /, "w", pad)
    for (i = 0; i < n; ++i)
      printf "{\"id\":\"r%d\",\"n\":%d,\"lang\":\"l%d\",\"pad\":\"%s\"}\n", int(rand() * 100), int(i / 60), i % 60, pad
  }'
}
output=file
recordwise=0
bad_record='{"lang":"aa","id":7}'
empty_exit=0
big_record=0  # its record has no language
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=15
full_kb=4
skip=(long_stream)  # it repeats its records, and a language has one of an item
