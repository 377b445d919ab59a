# shellcheck shell=bash disable=SC2034
# score: records with a few samples and two rewordings. The record of 64 MiB that is made for every
# program has no answers; tests/cli/lm-uq/large_record.sh has one.
verb=score
args=(--on-error fail --draws 3)
foreign=append
bad_record='{"samples":7}'
big_record=0
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    split("Paris London Rome Berlin Oslo Vienna", w, " ")
    split("1.0 1.50 -0 0.1e1 1E+2 12345678901234567890 3.0000000000000001 -0.0 1e-7", num, " ")
    for (i = 0; i < n; ++i) {
      gap = rand() < 0.2 ? " " : ""
      printf "{%s\"id\":%s\"r%d\",\"n\" :%s%s,\"prompt\":\"a question of number %d\",\"samples\":[", gap, gap, i, gap, num[1 + int(rand() * 9)], i
      for (j = 0; j < 4; ++j) printf "%s{\"text\":\"the city of %s\",\"logp\":[%.3f,-0.25]}", j ? "," : "", w[1 + int(rand() * 6)], -rand()
      printf "],\"perturb\":[{\"prompt\":\"number %d asked\",\"samples\":[\"%s\",\"%s\"]},{\"prompt\":\"what of %d\",\"samples\":[\"%s\"]}]", i, w[1 + int(rand() * 6)], w[1 + int(rand() * 6)], i, w[1 + int(rand() * 6)]
      printf ",\"x\":[1, 2.00,{\"deep\":\"\\ud83d\\ude00\"}],\"\\u0066\":null%s}\n", gap
    }
  }'
}
records=12000
runs=40
kills=5
starts=50
long_mb=60
