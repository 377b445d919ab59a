# shellcheck shell=bash disable=SC2034
# Near copies: two passes over spooled records.
verb=minhash
recordwise=0
foreign=append
bad_record='{"text":7}'
records=12000
runs=40
kills=5
starts=50
long_mb=60
