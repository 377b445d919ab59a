# Settings and adapters that do not fit.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model n 2
printf '{"prompt":"a","completion":"b"}\n' > in.jsonl
o='--objective sft --batch 1 --steps 1 --seq-len 16'
try() { "$@" > out 2> err; echo "status $?"; cat err; }
for s in r=0 r=x alpha=-1 dropout=2 rank=4 targets= 'r=4,,rs' r=4,targets=c_attn; do try lm-train --init-from m --lora "$s" $o -o run in.jsonl; done
try lm-train --lora r=2 $o -o run in.jsonl
lm-train -q --init-from m --lora r=2 $o -o run in.jsonl
try lm-decode -m run -z none in.jsonl
try lm-decode -m m+nothing -z none in.jsonl
try lm-decode -m m --adapter x -z none in.jsonl
try lm-decode -m m --adapter x=run/final --adapter x=run/final -z none in.jsonl
try lm-decode -m m --adapter x=nothing -z none in.jsonl
try lm-decode -m m --adapter-field y -z none in.jsonl
printf '%s\n' '{"prompt":"a","adapter":"y"}' '{"prompt":"a","adapter":3}' '{"prompt":"a","adapter":{"x":"1"}}' '{"prompt":"a","adapter":{"z":1}}' '{"prompt":"a","adapter":null}' > bad.jsonl
lm-decode -q -m m --adapter x=run/final --max-tokens 1 -z none bad.jsonl 2>&1 | jq -c '.error // .completions[0].finish_reason'
cp -rL run/final torn && head -c 100 run/final/adapter_model.safetensors > torn/adapter_model.safetensors
try lm-decode -m m+torn -z none in.jsonl
cp -rL run/final other && sed -i 's/"r": 2/"r": 3/' other/adapter_config.json
try lm-decode -m m+other -z none in.jsonl
rm other/adapter_model.safetensors
try lm-decode -m m --adapter x=other -z none in.jsonl
try lm-train --init-from m+run/final $o -o other-run in.jsonl
# Other programs take a base with an adapter too.
printf '{"text":"ab"}\n' | lm-ppl-filter -q -m m+run/final -z none | jq -c 'has("text")'
printf '{"text":"ab"}\n' | lm-embed -q -m m+run/final -z none | jq -c '.embedding | length'
