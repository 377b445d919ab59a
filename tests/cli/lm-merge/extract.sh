# A fine-tune as an adapter of its base: at full rank the fine-tune again; what it says; refusals.
seq 1 100 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
o='-q --seq-len 8 --batch 2 --schedule constant --warmup 0 --lr 0.01'
for family in llama gpt2; do
  lm-train $o --arch $family --layers 2 --width 16 --heads 2 --vocab 16 --steps 1 -o run-$family ids.jsonl; cp -rL run-$family/final $family
  lm-train $o --init-from $family --steps 3 -o tuned-$family ids.jsonl; cp -rL tuned-$family/final $family-tuned
  lm-merge lora-extract --base $family $family-tuned -r 16 --save-others -o $family-adapter --report r.json; echo "status $?"
  jq -c '.metrics | [.matrices, .whole_tensors, .left_out, .kept_share > 0.999999]' r.json
  jq -c '[.peft_type, .r, .lora_alpha, .target_modules, .fan_in_fan_out]' $family-adapter/adapter_config.json
  # the adapter on its base is the fine-tune, to rounding
  lm-merge --method linear $family+$family-adapter -o again
  lm-merge diff --json again $family-tuned | jq -s 'map(select(.measured != false) | .relative // 0) | max < 1e-5'
  rm -r again
done
# fewer ranks keep less; the same bytes for any threads
for r in 2 4; do lm-merge lora-extract --base llama llama-tuned -r $r --include layers --save-others -o low$r --report r$r.json -t $r; done
jq -c .metrics.kept_share r2.json r4.json | jq -s '.[0] < .[1] and .[0] > 0.2'
lm-merge lora-extract --base llama llama-tuned -r 4 --include layers --save-others -o low -t 1; cmp low/adapter_model.safetensors low4/adapter_model.safetensors && echo "the same bytes"
lm-merge lora-extract --base llama llama-tuned --exclude mlp --sv-epsilon 0.001 -r 4 -o attention; jq -c '.target_modules' attention/adapter_config.json
try() { lm-merge lora-extract "$@"; echo "status $?"; }
try --base llama llama -o out
try --base llama gpt2 -o out
try --base llama llama-tuned
try llama-tuned -o out
try --base llama none -o out
mkdir mine; touch mine/file; try --base llama llama-tuned -o mine
try --base llama llama-tuned --include '(' -o out
ls -d out 2> /dev/null || echo "nothing is written"
