# Layers that see a pattern of what is before them: trained, resumed, read in pieces, refused.
for i in $(seq 0 59); do printf '{"id":%d,"prompt":"question number %d of many questions: ","completion":"the answer is %d"}\n' $i $((i % 10)) $((9 - i % 10)); done > qa.jsonl
jq -c '{text:(.prompt+.completion)}' qa.jsonl > docs.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize pack -q -m tok.json docs.jsonl -o data
m='--arch gpt2 --layers 3 --width 32 --heads 4 --seq-len 96 --batch 4 --steps 20 --lr 1e-2 --schedule constant --warmup 0 --data data.json --tokenizer tok.json'
s='--attn alternating --sparse fixed:block=16,local=2,global=1'
lm-train -q $m $s -t 1 -o whole
jq -c '[.model_type, .architectures[0], .lm_sparse]' whole/final/config.json
jq -s -c '.[0].loss > .[-1].loss' whole/metrics.jsonl
lm-train -q ${m/--steps 20/--steps 10} $s -t 2 -o part
lm-train -q $m $s --extend -t 2 -o part
for f in config.json model.safetensors state/state.json; do cmp whole/final/$f part/final/$f; done
lm-train -q $m -o dense
cmp -s whole/final/model.safetensors dense/final/model.safetensors || echo differs
# A window of the whole sequence hides nothing.
lm-train -q $m --attn sparse --sparse fixed:block=16,local=6 -o wide
cmp wide/final/model.safetensors dense/final/model.safetensors && echo same
# No answer depends on how a prompt is cut, on threads or on neighbours.
head -n 12 qa.jsonl | lm-decode -m whole/final --greedy --max-tokens 9 -z none > out.jsonl
jq -c '.completions | length' out.jsonl | sort | uniq -c
head -n 12 qa.jsonl | lm-decode -m whole/final --greedy --max-tokens 9 --chunk 5 --batch 2 -t 2 -z none | cmp - out.jsonl
head -n 12 qa.jsonl | lm-decode -m whole/final --greedy --max-tokens 9 --draft prompt-lookup -z none | cmp - out.jsonl
lm-train $m $s --plan | grep -c attention
echo '[refused]'
try() { lm-train "$@" 2>&1; echo "status ${PIPESTATUS[0]}"; }
try $m --sparse fixed -o no
try $m --attn sparse --sparse fixed:block=24 -o no
try $m --attn sparse --sparse strided -o no
try ${m/gpt2/qlstm} --attn alternating -o no
try ${m/gpt2/mistral} --window 8 --attn alternating -o no
try $m $s --objective prefix-lm -o no
head -n 1 qa.jsonl | lm-decode -m whole/final --prefix-mask --on-error fail -z none; echo "status $?"
mkdir odd && cp -r whole/final/. odd && jq '.lm_sparse.block = 8' whole/final/config.json > odd/config.json
head -n 1 qa.jsonl | lm-decode -m odd; echo "status $?"
[ ! -e no ] || echo left
