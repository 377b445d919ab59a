# shellcheck shell=bash disable=SC2034
# bits: formulas, one line.
verb=bits
args=(--k 12)
output=text
streams=0
recordwise=0
usage_args=(--ones 13)
runs=20
kills=4
fault_runs=10
starts=50
