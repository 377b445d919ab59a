# shellcheck shell=bash disable=SC2034
# inverse: weights that are set, and saved.
verb=inverse
args=(--d 6 --construct)
output=text
streams=0
recordwise=0
operands=()
lacking=(missing)
usage_args=(--d 0)
runs=20
kills=4
fault_runs=10
starts=50
