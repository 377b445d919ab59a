# Prefix linear attention: trained on prefixes with hidden tokens, resumed; prompts are prefixes, read as a whole.
for i in $(seq 0 59); do printf '{"id":%d,"prompt":"question number %d: ","completion":"%d"}\n' $i $((i % 10)) $((9 - i % 10)); done > qa.jsonl
jq -c '{text:(.prompt+.completion)}' qa.jsonl > docs.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' --special-token '<|mask|>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize pack -q -m tok.json docs.jsonl -o data
shape='--arch based --mixers conv:3@0,pla:4@1,window:6@2 --layers 3 --width 32 --heads 4 --seq-len 32 --batch 4 --lr 1e-2 --schedule constant'
k="$shape --data data.json --tokenizer tok.json --warmup 0 --objective jrt --prefix-len 20"
lm-train -q $k --mlm-token '<|mask|>' --steps 30 -t 1 -o whole
lm-train -q $k --mlm-token 1 --steps 15 -t 2 -o part
lm-train -q $k --mlm-token 1 --steps 30 -t 2 --extend -o part
for f in config.json model.safetensors state/state.json; do cmp whole/final/$f part/final/$f; done
jq -c '[.model_type, .mixers, .linear_dim]' whole/final/config.json
jq -c '.params | with_entries(select(.key | test("prefix|mlm")))' whole/final/training.json
jq -s -c '[.[0].loss > .[-1].loss, .[-1].ce > 0, .[-1].mlm > 0, (.[-1] | .loss - .ce - .mlm / 4 | fabs < 1e-4)]' whole/metrics.jsonl
lm-train -q $k --mlm-prob 0 --steps 2 --eval-data data.json --eval-every 1 -o plain && jq -s -c 'map(select(.eval_loss != null)) | length > 0' plain/metrics.jsonl
# Completions behind prompts that are prefixes.
lm-train -q --init-from whole/final --objective sft --prefix-mask --batch 4 --lr 1e-2 --schedule constant --warmup 0 --epochs 12 -o sft qa.jsonl
head -n 12 qa.jsonl > ask.jsonl
lm-decode -m sft/final --greedy --max-tokens 4 --logprobs -z none ask.jsonl > out.jsonl
lm-decode -m sft/final --greedy --max-tokens 4 --logprobs --chunk 3 --batch 2 -t 2 -z none ask.jsonl | cmp - out.jsonl
lm-decode -m sft/final --greedy --max-tokens 4 --logprobs --draft prompt-lookup -z none ask.jsonl | cmp - out.jsonl
jq -s -c 'map(select(.completions[0].text == .completion)) | length > 8' out.jsonl
# What was written is scored as it was written, behind the same prefix and no other.
jq -c '{id, prompt, completion: .completions[0].text, was: (.completions[0].logprobs[0])}' out.jsonl > score.jsonl
same='[.score.logprobs[0], .was] | (.[0] - .[1]) | fabs < 1e-5'
lm-decode score -m sft/final --per-token --boundary separate -z none score.jsonl | jq -s -c "map($same) | all"
lm-decode score -m sft/final --per-token --boundary separate --prefix-mode none -z none score.jsonl | jq -s -c "map($same) | any | not"
for mode in pad none repeat 'iterate --prefix-len 30'; do
  lm-decode -m sft/final --greedy --max-tokens 2 --prefix-mode $mode -z none ask.jsonl | jq -s -c "[\"${mode%% *}\", (map(.prompt_tokens) | add)]" > "sum.${mode%% *}"
done
jq -s -c '(map({key: .[0], value: .[1]}) | from_entries) as $sum | [$sum.pad == $sum.none, $sum.repeat > $sum.pad, $sum.iterate == 360]' sum.*
# In a model without such layers the same rows are read from left to right; prefixes of drawn length.
lm-train -q ${k/pla/linear} --mlm-token '<|mask|>' --steps 2 -o causal && echo causal
lm-train -q $shape --data data.json --tokenizer tok.json --objective prefix-lm --steps 2 -o drawn && echo drawn
# What does not fit.
lm-train $k --steps 1 -o bad; echo "status $?"
lm-train $k --mlm-token '<mask>' --steps 1 -o bad; echo "status $?"
lm-train $k --mlm-token 5000 --steps 1 -o bad; echo "status $?"
lm-train ${k/prefix-len 20/prefix-len 33} --mlm-prob 0 --steps 1 -o bad; echo "status $?"
lm-decode -m sft/final --prompt-logprobs ask.jsonl; echo "status $?"
lm-decode -m causal/final --prefix-mode none ask.jsonl; echo "status $?"
lm-decode -m sft/final --prefix-mode iterate ask.jsonl; echo "status $?"
lm-train --arch based --mixers pla --layers 1 --width 16 --heads 2 --vocab 32 --steps 1 --plan docs.jsonl; echo "status $?"
