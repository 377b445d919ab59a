# shellcheck shell=bash disable=SC2034
# train: a classifier of two labels, a few words of each text.
verb=train
args=(--label kind --dim 4 --epochs 2 --word-ngrams 1)
output=file
recordwise=0
bad_record='{"text":"no label"}'
empty_exit=65
big_record=0  # its record has no label
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    other = sprintf("%300s", "")
    for (i = 0; i < n; ++i)
      printf "{\"id\":\"r%d\",\"kind\":\"%s\",\"text\":\"%s w%d w%d of %d\",\"other\":\"%s\"}\n", i, i % 2 ? "good" : "bad", i % 2 ? "fine" : "poor", rand() * 300, rand() * 3000, i % 9, other
  }'
}
records=10000
runs=8
kills=2
fault_runs=8
fault_step=2
starts=10
long_mb=15
rss_limit_mb=600  # 115 MiB of them are the table of words
full_kb=4
