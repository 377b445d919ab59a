# shellcheck shell=bash disable=SC2034
# --from parquet: pages and dictionaries read from where the file says they are.
streams=0
args=(--from parquet)
setup() { generate 16000 3 | "$bin/lm-cat" -q --to parquet --fields id,text,n:json - -o "$work/a.parquet"; }
operands=("$work/a.parquet")
kills=3
fault_runs=8
fault_step=2
starts=20
