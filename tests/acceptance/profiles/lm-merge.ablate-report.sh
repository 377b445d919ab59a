# shellcheck shell=bash disable=SC2034
# Ranks of pairs of units by drawn losses. A unit's own losses stand before those of its pairs, so
# that any number of whole sets from the start makes a table.
verb='ablate report'
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    pad = sprintf("%300s", "")
    gsub(/ /, "w", pad)
    for (v = 0; n > 0; ++v) {
      score("single", "\"u" v "\"", "trained_tokens")
      for (u = 0; u < v; ++u) score("merged", "\"u" u "\",\"u" v "\"", "bytes_read")
    }
  }
  function score(kind, set, cost,   e) {
    for (e = 0; e < 4 && n > 0; ++e) {
      printf "{\"kind\":\"%s\",\"set\":[%s],\"eval\":\"e%d\",\"nll\":%.6f,\"tokens\":%d,\"%s\":1000,\"pad\":\"%s\"}\n", kind, set, e, 2 + rand(), 100 + e, cost, pad
      --n
    }
  }'
}
output=text
recordwise=0
bad_record='{"kind":"other"}'
empty_exit=65  # no score of a merged model
big_record=0   # its record is no score
records=12000
runs=40
kills=4
fault_runs=10
starts=20
skip=(long_stream)  # it repeats its records, and a set has one score on a held-out set
