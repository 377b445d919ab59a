# shellcheck shell=bash disable=SC2034
# infill: a hole between two copies of the id, of one token.
verb=infill
setup() {
  lm-tokenize train -q -n 400 --special-token '<|endoftext|>' --special-token '<mask_1>' --special-token '<sep>' \
    --special-token '<eom>' "$data" -o vocabulary/
  lm-transform infill -q -m vocabulary "$data" | lm-train -q --objective sft --no-eos --arch llama --layers 1 --width 16 \
    --heads 2 --seq-len 512 --batch 1 --steps 1 --tokenizer vocabulary/ - -o model
}
args=(-m model/final --prefix-field id --suffix-field id --max-tokens 1 --on-error fail)
foreign=append
bad_record='{"id":[7]}'
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=15
