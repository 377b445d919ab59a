# shellcheck shell=bash disable=SC2034
# --explain: what was found, as a text.
args=(-T c4_v2 -T pii_v3 -q --explain=1e9)
output=text
recordwise=0
bad_record='{"text":7}'
records=12000
runs=40
kills=5
starts=50
long_mb=60
