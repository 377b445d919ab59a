"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
# every weight a NaN: f32 0x7fc00000
size=$(stat -c %s m/model.safetensors)
head=$(od -An -tu8 -N8 m/model.safetensors | tr -d ' ')
{ head -c $((8 + head)) m/model.safetensors; printf '\0\0\300\177%.0s' $(seq $(((size - 8 - head) / 4))); } > nan && mv nan m/model.safetensors
printf '%s\n' '{"id":"a","prompt":"x","text":"ab"}' '{"id":"b","prompt":"y","text":"cd"}' > in.jsonl
lm-decode -m m -n 2 -z none in.jsonl | jq -c '[.id, .error.code, (.completions[] | .finish_reason, .text, .error.code)]'
lm-decode score -m m -z none in.jsonl | jq -c '[.id, .error.code]'
lm-ppl-filter -m m -z none in.jsonl | jq -c '[.id, .attributes]'
lm-decode -q -m m -z none in.jsonl | jq -c '.completions[0].finish_reason'
