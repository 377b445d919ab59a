# shellcheck shell=bash disable=SC2034
# train: a tokenizer.json of the words of all records.
verb=train
args=(-n 400)
output=file
recordwise=0
bad_record='{"text":7}'
empty_exit=65
records=12000
runs=40
kills=5
starts=50
long_mb=60
