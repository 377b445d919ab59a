# A quasi-LSTM: trained, fine-tuned, resumed, decoded; answers that do not depend on how a prompt is cut.
for i in $(seq 0 59); do printf '{"id":%d,"prompt":"question number %d: ","completion":"%d"}\n' $i $((i % 10)) $((9 - i % 10)); done > qa.jsonl
jq -c '{text:(.prompt+.completion)}' qa.jsonl > docs.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize pack -q -m tok.json docs.jsonl -o data
lm-train -q --arch qlstm --layers 2 --width 32 --heads 4 --seq-len 32 --batch 4 --steps 3 --data data.json --tokenizer tok.json -o new
jq -c '[.model_type, .architectures[0], .num_heads, .head_dim, .intermediate_size, .use_bias, .tie_word_embeddings]' new/final/config.json
k='--init-from new/final --objective sft --batch 4 --lr 1e-2 --schedule constant --warmup 0'
lm-train -q $k --epochs 8 -t 1 -o whole qa.jsonl
lm-train -q $k --epochs 4 -t 2 -o part qa.jsonl
lm-train -q $k --epochs 8 -t 2 --extend -o part qa.jsonl
for f in config.json model.safetensors state/state.json; do cmp whole/final/$f part/final/$f; done
jq -s -c '.[0].loss > .[-1].loss' whole/metrics.jsonl
head -n 12 qa.jsonl | lm-decode -m whole/final --greedy --max-tokens 6 -z none > out.jsonl
jq -c '.completions | length' out.jsonl | sort | uniq -c
head -n 12 qa.jsonl | lm-decode -m whole/final --greedy --max-tokens 6 --chunk 3 --batch 2 -z none | cmp - out.jsonl
head -n 12 qa.jsonl | lm-decode -m whole/final --greedy --max-tokens 6 --draft prompt-lookup -z none | cmp - out.jsonl
head -n 12 qa.jsonl | lm-decode score -m whole/final -z none | jq -s 'all(.score.sum < 0)'
# Texts may be longer than those it was trained on; several samples share a prompt; JSON all the same.
echo '{"id":1,"prompt":"question number 3: "}' | lm-decode -m whole/final -n 3 --max-tokens 100 --seed 1 -z none | jq -c '.completions | map(.completion_tokens <= 100)'
echo '{"id":1,"prompt":"question number 3: "}' | lm-decode -m whole/final --choice 4 --choice 7 -z none | jq -r '.completions[0].text' | grep -c '^[47]$'
# Convolutions, linear attention and windows in one model.
lm-train -q --arch based --mixers conv:3,linear:4@1,window:6@2 --layers 3 --width 32 --heads 4 --seq-len 32 --batch 4 --steps 20 --lr 1e-2 --data data.json --tokenizer tok.json -o mixed
jq -c '[.model_type, .mixers, .conv_kernel, .linear_dim, .sliding_window]' mixed/final/config.json
head -n 12 qa.jsonl | lm-decode -m mixed/final --greedy --max-tokens 6 -z none > mixed.jsonl
head -n 12 qa.jsonl | lm-decode -m mixed/final --greedy --max-tokens 6 --chunk 3 --batch 2 -t 2 -z none | cmp - mixed.jsonl
lm-train --arch based --mixers conv:3@0 --layers 2 --width 16 --heads 2 --vocab 32 --steps 1 --plan docs.jsonl; echo "status $?"
# Muon takes the matrices, not the taps; prefixes that see themselves, and attention, are of other models.
lm-train -q --arch based --mixers conv:3@0,linear:4@1,window:6@2 --layers 3 --width 32 --heads 4 --seq-len 32 --batch 4 --steps 2 --optimizer muon --data data.json --tokenizer tok.json -o muon && echo muon
lm-train --arch qlstm --layers 2 --width 32 --heads 4 --seq-len 32 --batch 4 --steps 2 --objective prefix-lm --data data.json --tokenizer tok.json -o prefix; echo "status $?"
# A model that remembers nothing at all.
lm-train -q --arch based --mixers conv:1 --layers 1 --width 16 --heads 2 --seq-len 32 --batch 4 --steps 1 --data data.json --tokenizer tok.json -o forgets
echo '{"id":1,"prompt":"question"}' | lm-decode -m forgets/final --max-tokens 3 -z none | jq -c '.completions | length'
# What it has not, and what reads texts in another order.
lm-train --arch qlstm --window 6 --layers 1 --width 16 --heads 2 --vocab 32 --steps 1 --plan docs.jsonl; echo "status $?"
echo '{"id":1,"prompt":[{"text":"a "},{"set":["b","c"]}]}' | lm-decode -m whole/final --on-error fail -z none; echo "status $?"
jq 'del(.num_heads)' whole/final/config.json > config.json && mkdir odd && cp -r whole/final/. odd && cp config.json odd
echo '{"prompt":"q"}' | lm-decode -m odd; echo "status $?"
