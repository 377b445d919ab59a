# Fine-tuning on prompts and completions: text and ids are the same records; threads, a pipe and a stop
# change nothing; the model answers.
for i in $(seq 0 99); do printf '{"id":%d,"prompt":"say %d: ","completion":"%d"}\n' $i $((i % 10)) $((9 - i % 10)); done > qa.jsonl
jq -c '{text:(.prompt+.completion)}' qa.jsonl > docs.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize pack -q -m tok.json docs.jsonl -o data
lm-train -q --arch llama --layers 2 --width 32 --heads 4 --seq-len 48 --batch 4 --steps 2 --data data.json --tokenizer tok.json -o base
o='--init-from base/final --objective sft --batch 4 --epochs 40 --lr 1e-2 --save-every 50'
lm-train $o -t 1 -o a qa.jsonl
lm-train $o -t 2 -o b < qa.jsonl
lm-cat --compress stored qa.jsonl | lm-train $o -o c
for run in b c; do for f in model.safetensors state/state.json training.json; do cmp a/final/$f $run/final/$f; done; done
head -n 10 qa.jsonl | lm-decode -m a/final --greedy --max-tokens 4 -z none | jq -c '[.completion == .completions[0].text, .completions[0].finish_reason]' | sort | uniq -c
jq -c 'select(.step == 1) | [.loss > 4, .tokens]' a/metrics.jsonl
# Ids of the same texts; a mask instead.
lm-tokenize -q -m tok.json --field prompt --ids-field prompt_ids -z none qa.jsonl | lm-tokenize -q -m tok.json --field completion --ids-field completion_ids -z none > ids.jsonl
eos=$(jq '.added_tokens[] | select(.content == "<|endoftext|>") | .id' tok.json)
jq -c --argjson eos "$eos" '{input_ids: (.prompt_ids + .completion_ids + [$eos]), loss_mask: ([.prompt_ids[] | 0] + [.completion_ids[] | 1] + [1])}' ids.jsonl > mask.jsonl
jq -c '{prompt_ids, completion_ids}' ids.jsonl > bare.jsonl
short='--init-from base/final --objective sft --batch 4 --steps 5'
lm-train $short -o text qa.jsonl
lm-train $short -o bare bare.jsonl
lm-train $short -o mask mask.jsonl
cmp text/final/model.safetensors bare/final/model.safetensors
cmp text/final/model.safetensors mask/final/model.safetensors
# All tokens as targets, and no end token.
lm-train $short --loss-on all -o all qa.jsonl
lm-train $short --no-eos -o open qa.jsonl
cmp -s text/final/model.safetensors all/final/model.safetensors || echo differs
jq -r .step open/metrics.jsonl | tail -n 1
# More epochs go on; other records do not.
k='--init-from base/final --objective sft --batch 4 --schedule constant --warmup 0'
lm-train $k --epochs 4 -o whole qa.jsonl
lm-train $k --epochs 2 -o part qa.jsonl
lm-train $k --epochs 4 --extend -o part qa.jsonl
cmp whole/final/model.safetensors part/final/model.safetensors
head -n 50 qa.jsonl | lm-train $k --epochs 4 -o part 2> err; echo "status $?"
sed -E 's/[0-9a-f]{16}/D/g' err
