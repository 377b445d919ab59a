# shellcheck shell=bash disable=SC2034
# train: a tokenizer.json of the words of all records.
verb=train
args=(-n 320)
output=file
recordwise=0
bad_record='{"text":7}'
empty_exit=65
records=12000
runs=40
kills=5
starts=50
long_mb=60
full_kb=4  # a tokenizer of 320 tokens has more
folders=1  # -o FOLDER writes the files of a tokenizer folder
