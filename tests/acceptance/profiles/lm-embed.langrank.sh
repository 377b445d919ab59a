# shellcheck shell=bash disable=SC2034
# langrank with hashed n-grams: two files, named by their languages, are one another's translations.
verb=langrank
args=(-m 'hash:char3-4,dim=64' --id-field n --lang-field lang --pivot a)
recordwise=0
bad_record='{"text":7,"lang":"a","n":1}'
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    split("the of model data word stream a in that it language with record pipe text learn from by", w, " ")
    for (i = 0; i < n; ++i) {
      text = ""
      for (j = 0; j < 40; ++j) text = text (j ? " " : "") w[1 + int(rand() * 18)]
      printf "{\"lang\":\"%s\",\"n\":%d,\"text\":\"%s.\",\"more\":\"%0150d\"}\n", substr("abc", 1 + i % 3, 1), int(i / 3), text, i
    }
  }'
}
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=15
