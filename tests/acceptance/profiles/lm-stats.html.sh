# shellcheck shell=bash disable=SC2034
# --html: the page beside what is printed.
args=(--top x --group n --discover yes --drop 'some=length(text) > 150' --examples 3)
output=file
writes_to() { dest=(--html "$1" -o /dev/null); }
recordwise=0
bad_record='{"id":"bad","text":7}'
records=10000
runs=8
kills=2
fault_runs=8
fault_step=2
starts=20
long_mb=15
full_kb=4
