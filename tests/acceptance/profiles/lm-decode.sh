# shellcheck shell=bash disable=SC2034
# Prompts are the records' ids, one token is made of each: the contract is tested, not the model.
verb=generate
setup() { "$bin/helpers/make-tiny-model" "$work/model"; }
args=(-m "$work/model" --prompt-field id --max-tokens 1 --on-error fail)
foreign=append
bad_record='{"id":[7]}'
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=15
