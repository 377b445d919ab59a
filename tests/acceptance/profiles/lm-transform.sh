# shellcheck shell=bash disable=SC2034
# permute: units of every sentence in a drawn order, with the list of what was moved.
args=(--permute chunk)
bad_record='{"text":7}'
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    split("Alice Bob Rome the mother of is in river, said 5 km and never often light", w, " ")
    for (i = 0; i < n; ++i) {
      gap = rand() < 0.2 ? " " : ""
      printf "{%s\"id\":%s\"r%d\",\"n\" :%s1.50,\"text\":\"", gap, gap, i, gap
      for (j = 0; j < 60; ++j) printf "%s%s", w[1 + int(rand() * 15)], rand() < 0.08 ? ". " : " "
      printf "\",\"x\":[1, 2.00,{\"deep\":\"\\ud83d\\ude00\"}],\"\\u0066\":null%s}\n", gap
    }
  }'
}
records=12000
runs=20
kills=4
fault_runs=8
fault_step=2
starts=50
long_mb=20
