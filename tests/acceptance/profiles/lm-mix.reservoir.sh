# shellcheck shell=bash disable=SC2034
# Filters of other mixers, and a choice that is known when all records are.
args=(--exclude 'rare=$[?(@.text ~= "stone stone")]' --reservoir 5000)
recordwise=0
bad_record='{"id":"bad","text":"","attributes":7}'
records=16000
runs=40
kills=5
starts=50
long_mb=60
