# shellcheck shell=bash disable=SC2034
# Attributes inside the records.
args=(-T gopher_v2 -T c4_v2 -q)
foreign=append
bad_record='{"text":7}'
records=12000
runs=40
kills=5
starts=50
long_mb=60
