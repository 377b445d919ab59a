# shellcheck shell=bash disable=SC2034
# infill: rows of ids with masked spans, behind the fields that were there.
verb=infill
args=(-m vocabulary -q)
setup() {
  lm-tokenize train -q -n 400 --special-token '<|endoftext|>' --special-token '<mask_1>' --special-token '<mask_2>' \
    --special-token '<sep>' --special-token '<eom>' "$data" -o vocabulary/
}
foreign=append
bad_record='{"text":7}'
records=12000
runs=20
kills=4
fault_runs=8
fault_step=2
starts=50
long_mb=20
