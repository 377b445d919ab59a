"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
echo '{"prompt":"a"}' > in.jsonl
lm-decode in.jsonl; echo "status $?"
lm-decode -m absent in.jsonl; echo "status $?"
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model small 1 200
lm-decode -m small in.jsonl; echo "status $?"
truncate -s -8 m/model.safetensors
lm-decode -m m in.jsonl; echo "status $?"
# no device is visible; why is the machine's affair
lm-decode -m m --device cuda in.jsonl 2>err; echo "status $?"; sed -n 's/cuda:0: .*/cuda:0: .../p' err >&2
lm-decode -m m --device cpu --dtype bf16 in.jsonl; echo "status $?"
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model wide
jq -c '.hidden_size = 65536 | .num_hidden_layers = 500' wide/config.json > c && mv c wide/config.json
lm-decode -m wide in.jsonl; echo "status $?"
