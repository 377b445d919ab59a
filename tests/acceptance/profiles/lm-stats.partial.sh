# shellcheck shell=bash disable=SC2034
# A partial result is a stream of its own; that of a shard is another than that of the whole. The values
# make it longer than a pipe holds.
args=(--partial --top text --drop 'some=length(text) > 150' --examples 3)
recordwise=0
bad_record='{"id":"bad","text":7}'
records=16000
runs=40
kills=5
starts=50
long_mb=60
