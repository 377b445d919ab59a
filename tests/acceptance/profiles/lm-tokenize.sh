# shellcheck shell=bash disable=SC2034
# encode with a vocabulary of the small stream: one field added at the end of each record.
verb=encode
args=(-m vocabulary)
setup() { lm-tokenize train -q -n 400 --special-token '<|endoftext|>' "$data" -o vocabulary/; }
foreign=append
bad_record='{"text":7}'
records=12000
runs=40
kills=5
starts=50
long_mb=60
