# shellcheck shell=bash disable=SC2034
# eval: scores of strategies, of many questions each; prints a table.
verb=eval
setup() { for i in 0 1 2 3 4 5 6 7; do echo "{\"task\":\"t$((i % 2))\",\"strategy\":\"s$((i / 2))\",\"accuracy\":0.$((i * 7 % 10))}"; done >"$work/accuracies.jsonl"; }
args=(--accuracies "$work/accuracies.jsonl" --boot 5)
output=text
recordwise=0
bad_record='{"task":"t0","strategy":"s0","sppl":"low"}'
big_record=0
empty_exit=65
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; ++i)
      printf "{\"task\":\"t%d\",\"strategy\":\"s%d\",\"text\":\"%0300d\",\"sppl\":%.6f}\n", i % 2, int(i / 2) % 4, i, 1 + rand()
  }'
}
records=12000
runs=40
kills=5
starts=50
long_mb=60
