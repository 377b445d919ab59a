# shellcheck shell=bash disable=SC2034
# score: deflate ratios, which need no model.
verb=score
args=(--zlib --zlib-min-bytes 1)
foreign=append
bad_record='{"text":7}'
records=12000
runs=40
kills=5
starts=50
long_mb=60
