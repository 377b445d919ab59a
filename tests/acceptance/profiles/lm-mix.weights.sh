# shellcheck shell=bash disable=SC2034
# Sources as evenly as a budget allows, each written as often as its rate says.
args=(-q --weights unimax:3 --budget 3e6 --unique-ids)
recordwise=0
bad_record='{"id":"bad","text":7,"source":"a"}'
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; ++i)
      printf "{\"id\":\"r%d\",\"source\" :\"%s\",\"text\":\"%0*d\",\"n\":1.50}\n", i, substr("abbccccc", 1 + i % 8, 1), 300 + int(rand() * 100), i
  }'
}
records=10000
runs=8
kills=2
fault_runs=8
fault_step=2
starts=20
long_mb=15
