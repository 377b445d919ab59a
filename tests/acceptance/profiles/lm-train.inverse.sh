# shellcheck shell=bash disable=SC2034
# inverse: weights that are set, and saved.
verb=inverse
args=(--d 6 --construct --scratch 6 --readout scratch)
output=text
streams=0
recordwise=0
usage_args=(--readout first)
runs=20
kills=4
fault_runs=10
starts=50
