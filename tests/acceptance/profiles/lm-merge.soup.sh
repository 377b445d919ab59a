# shellcheck shell=bash disable=SC2034
# A greedy soup whose trials are all scored alike, so that the second model is taken in.
# shellcheck source=tests/acceptance/profiles/lm-merge.sh
source "$(dirname "${BASH_SOURCE[0]}")/lm-merge.sh"
verb=soup
args=(--score 'echo 1 #' --maximize)
operands=(a b)
usage_args=(--mode uniform)
kills=4
fault_runs=10
starts=10
