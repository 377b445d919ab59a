# shellcheck shell=bash disable=SC2034
# Rules and a draw of single lines: each stays as it is or goes.
args=(--where 'some=length(text) > 150' --drop 'rare=text matches "stone stone"' --sample 0.9)
foreign=subset
bad_record='{"id":"bad","text":7}'
records=16000
runs=40
kills=5
starts=50
long_mb=60
