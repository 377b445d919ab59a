# shellcheck shell=bash disable=SC2034
# score with a model folder, a few tokens of each text: the contract is tested, not the model.
verb=score
setup() { "$bin/helpers/make-tiny-model" "$work/model"; }
args=(-m "$work/model" --max-tokens 2 --device cpu)
foreign=append
bad_record='{"text":7}'
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=15
