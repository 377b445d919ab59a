# Documents dealt to as many streams as a step has sequences: each goes on where it stood; a stop and threads
# change nothing.
awk 'BEGIN { for (i = 0; i < 40; ++i) { printf "{\"text\":\""; for (j = 0; j < 5 + i * 7 % 60; ++j) printf "%d", (i + j * j) % 10; print "\"}" } }' > docs.jsonl
lm-tokenize train -q -n 257 --special-token '<a>' docs.jsonl -o tok.json
lm-tokenize pack -q -m tok.json docs.jsonl -o data
m='--arch llama --layers 1 --width 16 --heads 2 --seq-len 16 --batch 4 --micro-batch 2 --data data.json --order streams --doc-mask'
lm-train $m --steps 40 -t 1 -o a
lm-train $m --steps 40 -t 2 --save-every 7 -o b
rm -r b/final b/latest b/step-00000040
lm-train $m --steps 40 --save-every 7 -o b
cmp a/final/model.safetensors b/final/model.safetensors
cmp a/final/state/state.json b/final/state/state.json
jq -c .data.samples a/final/state/state.json
lm-train ${m/streams/sequential} --steps 40 -o plain
cmp -s a/final/model.safetensors plain/final/model.safetensors && echo same
lm-train $m --epochs 1 -o epoch
jq -s 'length' epoch/metrics.jsonl
try() { lm-train "$@"; echo "status $?"; }
try ${m/--batch 4/--batch 400} --steps 2 -o none
try $m --steps 2 --weight 1 -o none
try ${m/--data data.json/} --steps 2 --vocab 16 -o none docs.jsonl
[ ! -e none ] || echo left
