# shellcheck shell=bash disable=SC2034
# Everything that counts, printed as JSON.
args=(--json --top x --group n --number 'length=length(text)' --discover yes '--edges=length=100,200' --drop 'some=length(text) > 150' --examples 3)
output=text
bad_record='{"id":"bad","text":7}'
records=16000
runs=40
kills=5
starts=50
long_mb=60
