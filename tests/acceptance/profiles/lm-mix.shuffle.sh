# shellcheck shell=bash disable=SC2034
# Two readings, since rates are known when all sources are, and a shuffle.
args=(--weights temperature:0.5 --shuffle)
recordwise=0
bad_record='{"id":"bad","text":7}'
records=16000
runs=40
kills=5
starts=50
long_mb=60
