# shellcheck shell=bash disable=SC2034
# --to parquet: a file that is there when it is whole.
args=(-q --to parquet --fields 'id,text,n:json')
output=file
recordwise=0
bad_record='{"id":7}'
records=10000
runs=8
kills=2
fault_runs=8
fault_step=2
starts=20
long_mb=15
