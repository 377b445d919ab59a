# shellcheck shell=bash disable=SC2034
# score: attributes under a model of the small stream.
verb=score
args=(-m m.lmng)
setup() { lm-ngram train -k 3 --discount-fallback "$data" -o m.lmng; }
foreign=append
bad_record='{"text":7}'
records=12000
runs=40
kills=5
starts=50
long_mb=60
