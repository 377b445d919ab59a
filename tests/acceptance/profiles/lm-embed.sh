# shellcheck shell=bash disable=SC2034
# Vectors of the records' ids by a tiny encoder: the contract is tested, not the model.
setup() { "$bin/helpers/make-tiny-encoder" "$work/model"; }
args=(-m "$work/model" --field id --encoding base64)
foreign=append
bad_record='{"id":[7]}'
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=15
