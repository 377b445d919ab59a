# shellcheck shell=bash disable=SC2034
# The best of each group: candidates are kept aside until all records are known.
args=(--top 900 --by 'length(text)' --group g)
recordwise=0
foreign=subset
bad_record='{"id":"bad","text":7}'
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; ++i)
      printf "{\"id\":\"r%d\",\"g\" :%d,\"text\":\"%0*d\",\"n\":1.50}\n", i, i % 7, 300 + int(rand() * 100), i
  }'
}
records=10000
runs=8
kills=2
fault_runs=8
fault_step=2
starts=20
long_mb=15
