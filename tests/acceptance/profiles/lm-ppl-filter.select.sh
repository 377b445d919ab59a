# shellcheck shell=bash disable=SC2034
# select by rank: two passes over spooled records; what a shard keeps depends on the shard.
verb=select
args=(--zlib --zlib-min-bytes 1 --keep-lowest 0.5)
recordwise=0
foreign=subset
bad_record='{"text":7}'
records=12000
runs=40
kills=5
starts=50
long_mb=60
