# shellcheck shell=bash disable=SC2034
# perturb: short prompts of words that a database of a few synsets has.
verb=perturb
setup() { "$bin/helpers/make-tiny-wordnet" "$work/wordnet"; }
args=(--wordnet "$work/wordnet" -n 3 --generations 2 --population 12 --parents 6 --on-error fail)
foreign=append
bad_record='{"prompt":7}'
big_record=0
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    split("dog puppy mouse house animal run move big quickly zebra", w, " ")
    split("1.0 1.50 -0 0.1e1 1E+2 12345678901234567890 3.0000000000000001 -0.0 1e-7", num, " ")
    for (i = 0; i < n; ++i) {
      gap = rand() < 0.2 ? " " : ""
      printf "{%s\"id\":%s\"r%d\",\"n\" :%s%s,\"prompt\":\"the", gap, gap, i, gap, num[1 + int(rand() * 9)]
      for (j = 0; j < 5; ++j) printf " %s", w[1 + int(rand() * 10)]
      printf "\",\"text\":\"%0300d\"", i
      printf ",\"x\":[1, 2.00,{\"deep\":\"\\ud83d\\ude00\"}],\"\\u0066\":null%s}\n", gap
    }
  }'
}
records=12000
runs=40
kills=5
starts=50
long_mb=20
