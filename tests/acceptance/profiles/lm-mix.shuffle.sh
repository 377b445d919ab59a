# shellcheck shell=bash disable=SC2034
# Two readings and a shuffle: whether a record stays depends on all of them.
args=(--budget 1e6 --shuffle)
recordwise=0
bad_record='{"id":"bad","text":7}'
records=16000
runs=40
kills=5
starts=50
long_mb=60
