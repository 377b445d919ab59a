# shellcheck shell=bash disable=SC2034
# eval: scored records with what is right; prints a table. They have no ids, because the long stream
# repeats them and a question counts once.
verb=eval
args=(--on-error fail --boot 5)
output=text
recordwise=0
bad_record='{"correct":1,"uq":{"scores":7}}'
big_record=0
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; ++i) {
      right = rand() < 0.6
      printf "{\"correct\":%d,\"text\":\"%0300d\",\"uq\":{\"scores\":{\"msp\":%.4f,\"label_prob\":%.2f},\"samples\":5}}\n", right, i, rand() + !right, (rand() + !right) / 2
    }
  }'
}
records=12000
runs=40
kills=5
starts=50
long_mb=60
