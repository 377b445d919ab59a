# shellcheck shell=bash disable=SC2034
# embed with a tiny encoder whose texts are cut to a few tokens: the contract is tested, not the model.
# Its vocabulary has the letters alone, so that every text is longer.
setup() { "$bin/helpers/make-tiny-encoder" "$work/model"; }
args=(-m "$work/model" --max-tokens 4 --encoding base64)
foreign=append
bad_record='{"text":7}'
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=15
