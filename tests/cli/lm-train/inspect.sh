# One value of the first micro-batch as safetensors; names that no value has.
seq 1 200 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
o='--arch gpt2 --layers 1 --width 16 --heads 2 --vocab 8 --seq-len 8 --batch 4 --micro-batch 2 --steps 2 ids.jsonl'
lm-train $o -o plain
lm-train $o --dump-node blocks.0.attn.linear -o run
cmp plain/final/model.safetensors run/final/model.safetensors
tail -c +9 run/blocks.0.attn.linear.safetensors | grep -aoE '"shape":\[[0-9,]+\]'
lm-train $o --dump-node blocks.0.attn.liner -o other; echo "status $?"
