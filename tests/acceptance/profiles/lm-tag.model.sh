# shellcheck shell=bash disable=SC2034
# A fastText model, quantised, that judges whole texts and their lines.
setup() {
  awk 'BEGIN { for (i = 0; i < 600; ++i) printf "{\"kind\":\"%s\",\"text\":\"%s w%d of %d\"}\n", i % 2 ? "good" : "bad", i % 2 ? "fine" : "poor", i % 300, i % 9 }' |
    "$bin/lm-tag" train --label kind --dim 4 --buckets 2000 --quantise - -o "$work/kind.ftz"
}
args=(-q --define "k=fasttext:$work/kind.ftz" --define "l@line=fasttext:$work/kind.ftz")
foreign=append
bad_record='{"text":7}'
records=10000
runs=8
kills=2
fault_runs=8
fault_step=2
starts=10
long_mb=15
