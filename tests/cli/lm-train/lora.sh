# Adapters: two tasks beside one frozen model, resumed, merged, and chosen by records of one batch.
for i in $(seq 0 99); do printf '{"id":%d,"adapter":"up","prompt":"say %d: ","completion":"%d"}\n' $i $((i % 10)) $(((i + 1) % 10)); done > up.jsonl
jq -c '.adapter = "down" | .completion = ((.prompt[4:5] | tonumber + 9) % 10 | tostring)' up.jsonl > down.jsonl
jq -c '{text:(.prompt+.completion)}' up.jsonl down.jsonl > docs.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize pack -q -m tok.json docs.jsonl -o data
lm-train -q --arch llama --layers 2 --width 32 --heads 4 --seq-len 48 --batch 8 --steps 60 --lr 1e-2 --data data.json --tokenizer tok.json -o base
cp -rL base/final kept
o='--init-from base/final --lora r=8,alpha=32 --objective sft --batch 4 --epochs 40 --lr 1e-2 --save-every 30'
lm-train $o -t 1 -o up up.jsonl
lm-train $o -t 2 -o again up.jsonl
lm-train $o -o down down.jsonl
for f in adapter_model.safetensors adapter_config.json state/state.json; do cmp up/final/$f again/final/$f; done
diff -r base/final kept && ls up/final
jq -c '[.r, .lora_alpha, .base_model_name_or_path, .fan_in_fan_out, .target_modules]' up/final/adapter_config.json
# At least eight of ten answers of a kind: which ones depends on the last bits of training.
right() { jq -sc 'group_by(.adapter)[] | [.[0].adapter, (map(select(.completion == .completions[0].text)) | length) >= 8]'; }
head -n 10 up.jsonl > ten.jsonl
lm-decode -m base/final+up/final --greedy --max-tokens 4 -z none ten.jsonl | right
lm-decode -m up/final --greedy --max-tokens 4 -z none ten.jsonl | right
# Records choose; the batch changes nothing.
{ head -n 10 up.jsonl; head -n 10 down.jsonl; } > both.jsonl
a='-m base/final --adapter up=up/final --adapter down=down/final'
lm-decode $a --greedy --max-tokens 4 -z none both.jsonl > mixed.jsonl && right < mixed.jsonl
lm-decode $a --greedy --max-tokens 4 -z none --batch 1 -t 1 both.jsonl | cmp - mixed.jsonl
lm-decode score $a -z none both.jsonl | jq -sc 'group_by(.adapter)[] | [.[0].adapter, (map(select(.score.greedy)) | length) >= 8]'
# Without a choice, or a mixture of nothing, the model is as it is.
jq -c 'del(.adapter)' ten.jsonl > none.jsonl
jq -c '.adapter = {}' ten.jsonl > empty.jsonl
lm-decode -m base/final --seed 3 --max-tokens 4 -z none none.jsonl | jq -c .completions > plain
lm-decode $a --seed 3 --max-tokens 4 -z none none.jsonl | jq -c .completions | cmp - plain
lm-decode $a --seed 3 --max-tokens 4 -z none empty.jsonl | jq -c .completions | cmp - plain
jq -c '.adapter = {"up": 1, "down": 0.0}' ten.jsonl | lm-decode $a --greedy --max-tokens 4 -z none | right | sed 's/{[^}]*}/mixture/'
# Merged, the model is the same one.
lm-merge -q --method passthrough base/final+up/final -o merged
lm-decode -m merged --greedy --max-tokens 4 -z none ten.jsonl | right
# A stop and its continuation end with the same bytes.
lm-train $o --epochs 10 -o cut up.jsonl && lm-train $o --epochs 10 -o cut up.jsonl
lm-train $o --epochs 20 --schedule constant --warmup 0 -o long up.jsonl
lm-train $o --epochs 10 --schedule constant --warmup 0 -o short up.jsonl
lm-train $o --epochs 20 --schedule constant --warmup 0 --extend -o short up.jsonl
cmp long/final/adapter_model.safetensors short/final/adapter_model.safetensors
lm-train $o --plan up.jsonl | grep -E '^(parameters|trained|weights|gradients|moments)' | tr -s ' '
