# shellcheck shell=bash disable=SC2034
# sample: one token for the greedy answer and one sample of each question; the contract is tested,
# not the model.
verb=sample
setup() { "$bin/helpers/make-tiny-model" "$work/model"; }
args=(-m "$work/model" -n 1 --answers 1 --max-tokens 1 --no-without-prompt --on-error fail)
foreign=append
bad_record='{"prompt":7}'
big_record=0
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    split("1.0 1.50 -0 0.1e1 1E+2 12345678901234567890 3.0000000000000001 -0.0 1e-7", num, " ")
    for (i = 0; i < n; ++i) {
      gap = rand() < 0.2 ? " " : ""
      printf "{%s\"id\":%s\"r%d\",\"n\" :%s%s,\"prompt\":\"q %d\"", gap, gap, i, gap, num[1 + int(rand() * 9)], i
      printf ",\"text\":\"%0350d\"", i
      printf ",\"x\":[1, 2.00,{\"deep\":\"\\ud83d\\ude00\"}],\"\\u0066\":null%s}\n", gap
    }
  }'
}
records=4000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=5
