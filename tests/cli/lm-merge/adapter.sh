# LoRA adapters beside a base: zeros change nothing, ones add alpha / r times the rank.
seq 1 100 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
lm-train -q --seq-len 8 --batch 2 --steps 1 --arch llama --layers 2 --width 16 --heads 2 --vocab 16 -o run ids.jsonl; cp -rL run/final base
# adapter FOLDER MODULE ELEMENT R: factors [R, 16] and [16, R] of one f32 (four octal escapes)
adapter() {
  local n=$((16 * $4 * 4)) p=base_model.model.$2
  local head="{\"$p.lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[$4,16],\"data_offsets\":[0,$n]},\"$p.lora_B.weight\":{\"dtype\":\"F32\",\"shape\":[16,$4],\"data_offsets\":[$n,$((2 * n))]}}"
  while ((${#head} % 8)); do head+=' '; done
  mkdir -p $1
  { printf "\\x$(printf %02x $((${#head} % 256)))\\x$(printf %02x $((${#head} / 256)))\\0\\0\\0\\0\\0\\0%s" "$head"; for i in $(seq $((n / 2))); do printf "$3"; done; } > $1/adapter_model.safetensors
  echo "{\"peft_type\":\"LORA\",\"r\":$4,\"lora_alpha\":6,\"target_modules\":[\"q_proj\"],\"base_model_name_or_path\":\"org/base\"}" > $1/adapter_config.json
}
adapter zero model.layers.1.self_attn.q_proj '\0\0\0\0' 2
adapter one model.layers.1.self_attn.q_proj '\0\0\200\77' 2
lm-merge --method linear base+zero -o m && lm-merge diff base m
lm-merge --method linear base+one -o m; lm-merge diff --json base m | jq -c '[.tensor, (.distance * 1000 | round), (.max_abs > 5.99 and .max_abs < 6.01)]'
jq -c '[.models[].name]' m/merge.json
lm-merge diff base+one m | tail -n 1 | cut -d';' -f1
# half a task vector, the adapter on the recipe's base; the long form of a recipe
lm-merge --method task_arithmetic --base base one:0.5 -o m; lm-merge diff --json base m | jq -c '[.tensor, (.distance * 1000 | round)]'
printf 'merge_method: passthrough\nmodels:\n  - model: {model: {path: base}, lora: {path: one}}\n' > r.yaml
lm-merge -n r.yaml | grep layers.1.*q_proj
lm-merge soup --score 'test -e "$1/config.json" && echo 1 #' --maximize --base base one zero -o m; echo "status $?"
# what does not fit
try() { lm-merge --method linear "$@" -o out; echo "status $?"; }
try one
try base+none
try none+one
adapter far model.layers.7.self_attn.q_proj '\0\0\0\0' 2; try base+far
adapter wide model.layers.1.mlp.up_proj '\0\0\0\0' 2; try base+wide
sed -i s/LORA/LOHA/ zero/adapter_config.json; try base+zero
rm one/adapter_model.safetensors; touch one/adapter_model.bin; try base+one
lm-merge --method linear base+far -o far; echo "status $?"
ls -A
