printf '%s\n' '{"input_ids":[1,2,3,4,5,6,7,8,9]}' > ids.jsonl
printf '%s\n' '{"input_ids":[1,2,99]}' > large.jsonl
printf '%s\n' '{"text":"a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h"}' > docs.jsonl
lm-tokenize train -n 260 docs.jsonl -o tok.json
lm-tokenize train -n 257 docs.jsonl -o other.json
lm-tokenize pack -m tok.json docs.jsonl -o data
m='--arch gpt2 --layers 1 --width 8 --heads 2 --seq-len 4 --batch 2'
try() { lm-train "$@"; echo "status $?"; }
try $m --vocab 16 --steps 1 ids.jsonl
try $m --vocab 16 -o run ids.jsonl
try $m --vocab 16 --steps 1 --weight 2 -o run ids.jsonl
try $m --vocab 16 --steps 1 --epochs 1 -o run ids.jsonl
try $m --steps 1 -o run ids.jsonl
try $m --vocab 16 --steps 1 -o run large.jsonl
try $m --steps 1 -o run --data none.json
try $m --steps 1 -o run --data data.json ids.jsonl
try $m --vocab 100 --steps 1 -o run --data data.json
try $m --steps 1 -o run --data data.json --tokenizer other.json
try --arch mamba --steps 1 -o run --data data.json
try $m --context 2 --vocab 16 --steps 1 -o run ids.jsonl
try $m --micro-batch 3 --vocab 16 --steps 1 -o run ids.jsonl
try --preset gpt2-nano --arch llama --steps 1 -o run --data data.json
try --init-from none --steps 1 -o run --data data.json
try $m --warmup 9 --steps 3 -o run --data data.json
# No GPU is visible to tests; the reason is the build's or the driver's.
try $m --steps 1 --device cuda -o run --data data.json 2>&1 | sed -E 's/(cuda:0: ).*/\1REASON/; s/(hint: ).*/\1HINT/'
try $m --steps 1 --device tpu -o run --data data.json
try $m --steps 1 --device cpu --dtype bf16 -o run --data data.json
try $m --steps 1 --recompute all -o run --data data.json
truncate -s -2 data-00000.bin
try $m --steps 1 -o run --data data.json
