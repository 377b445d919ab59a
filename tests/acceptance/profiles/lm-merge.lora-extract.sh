# shellcheck shell=bash disable=SC2034
# What a fine-tune of a model of 460,000 weights changed, as factors of rank 4.
# shellcheck source=tests/acceptance/profiles/lm-merge.sh
source "$(dirname "${BASH_SOURCE[0]}")/lm-merge.sh"
verb=lora-extract
args=(-q --base base -r 4)  # -q: other tensors changed, too, which is said
operands=(a)
lacking=(missing)
usage_args=(--include '(')
kills=4
fault_runs=10
starts=10
