# shellcheck shell=bash disable=SC2034
# task: round trips with their shortest.
verb=task
args=(-n 600)
streams=0
operands=(tsp)
lacking=(cipher --text missing)
usage_args=(--set grid=3)
runs=20
kills=4
fault_runs=10
starts=50
