# shellcheck shell=bash disable=SC2034
# langrank with hashed n-grams of 6000 languages, so that the output fills a pipe. The first record's is the pivot.
verb=langrank
args=(-m 'hash:char3-4,dim=64' --id-field n --pivot l0)
recordwise=0
bad_record='{"text":7,"lang":"l0","n":1}'
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    split("the of model data word stream a in that it language with record pipe text learn from by", w, " ")
    for (i = 0; i < n; ++i) {
      text = ""
      for (j = 0; j < 40; ++j) text = text (j ? " " : "") w[1 + int(rand() * 18)]
      printf "{\"lang\":\"l%d\",\"n\":%d,\"text\":\"%s.\",\"more\":\"%0150d\"}\n", i % 6000, int(i / 6000), text, i
    }
  }'
}
records=12000
runs=20
kills=4
fault_runs=10
starts=50
big_record=0  # alone it has no pivot
# The long stream repeats its records, and a language has one sentence of a pair.
skip=(long_stream)
