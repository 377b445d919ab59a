# shellcheck shell=bash disable=SC2034
# check: calibrates, predicts and runs by a script, and prints a table.
verb=check
setup() { echo '{"when":{},"fn":"count_digits","input":{"meta":"item"},"noise":{"kind":"binomial_miss","rate":0.05}}' >"$work/count.script"; }
args=(--engine "script:$work/count.script" --call-time '1,0,0,0,0' --sizes '10,20,40' --length 60 --check-sizes 15 --draws 50)
output=text
streams=0
recordwise=0
operands=(count)
lacking=(count --graph missing)
usage_args=(--workers 0)
runs=20
kills=4
fault_runs=10
starts=50
