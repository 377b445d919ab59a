# Muon: its state in checkpoints, a stop, threads, the plan, what does not fit.
seq 1 2000 | awk '{ printf "{\"input_ids\":[%d,%d,%d,%d]}\n", $1%7, $1%7+8, $1%7+16, 24 }' > ids.jsonl
m='--arch llama --layers 1 --width 16 --heads 2 --vocab 32 --seq-len 16 --batch 4 --lr 1e-2 --optimizer muon'
lm-train $m --steps 40 -o run ids.jsonl
jq -sc '[.[0].loss > 3, .[-1].loss < 1]' run/metrics.jsonl
head -c 8192 run/final/state/optimizer-00001-of-00001.safetensors | grep -aoE '"(adam|muon)\.[mv]\.[a-z0-9._]+' | sort
lm-train $m --steps 40 -t 2 --save-every 15 -o part ids.jsonl
rm -r part/final part/latest part/step-00000040
lm-train $m --steps 40 --save-every 15 -o part ids.jsonl
cmp run/final/model.safetensors part/final/model.safetensors
cmp run/final/state/optimizer-00001-of-00001.safetensors part/final/state/optimizer-00001-of-00001.safetensors
lm-train $m --steps 40 --plan ids.jsonl | sed -E -n '/^(moments|slab of Muon)/p' | sed -E 's/(Muon +).*/\1N/'
try() { lm-train "$@"; echo "status $?"; }
try $m --steps 40 --momentum 0.9 -o part ids.jsonl
try --arch llama --layers 1 --width 16 --heads 2 --vocab 32 --seq-len 16 --batch 4 --steps 1 --momentum 0.9 -o none ids.jsonl
try $m --steps 1 --momentum 1 -o none ids.jsonl
