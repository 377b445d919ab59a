# Mixtures of experts: trained, resumed, balanced, read in pieces, refused.
for i in $(seq 0 59); do printf '{"id":%d,"prompt":"question number %d of many questions: ","completion":"the answer is %d"}\n' $i $((i % 10)) $((9 - i % 10)); done > qa.jsonl
jq -c '{text:(.prompt+.completion)}' qa.jsonl > docs.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize pack -q -m tok.json docs.jsonl -o data
s='--layers 2 --width 32 --heads 4 --ffn 24 --seq-len 32 --batch 4 --steps 12 --lr 1e-2 --schedule constant --warmup 0 --data data.json --tokenizer tok.json'
m="--moe n=4,router=topk:2 $s"
lm-train -q $m -t 1 -o whole
jq -c '[.model_type, .architectures[0], .num_experts, .num_experts_per_tok, .norm_topk_prob, .lm_router]' whole/final/config.json
jq -s -c '.[0].loss > .[-1].loss' whole/metrics.jsonl
jq -s -c '.[-1] | [.moe_balance >= 0.9, .moe_z >= 0, (.moe_load_cv, .moe_load_max, .moe_entropy, .moe_dropped, .moe_logit_rms | length)]' whole/metrics.jsonl
lm-train -q ${m/--steps 12/--steps 6} -t 2 -o part
lm-train -q $m --extend -t 2 -o part
for f in config.json model.safetensors state/state.json; do cmp whole/final/$f part/final/$f; done
for a in mixtral olmoe qwen2_moe qwen3_moe; do
  lm-train -q --arch $a ${s/--steps 12/--steps 2} -o $a
  jq -c '[.model_type, .architectures[0], .num_local_experts // .num_experts]' $a/final/config.json
done
# Biases in the place of a loss; what finds no room is dropped.
lm-train -q --moe n=4,router=topk:2,every=2,gate=sigmoid $s --moe-bias-update 0.01 --moe-capacity 0.5 -o biased
jq -s -c '.[-1].moe_dropped | [length, .[0] > 0.2]' biased/metrics.jsonl
jq -c '[.lm_router, .decoder_sparse_step]' biased/final/config.json
for r in noisy-topk:2 switch top2-random hash; do lm-train -q --moe n=4,router=$r $s $([ $r = hash ] || echo --moe-jitter 0.01) -o ${r%:*}; jq -s -c '.[0].loss > .[-1].loss' ${r%:*}/metrics.jsonl; done
# No answer depends on how a prompt is cut, on threads or on neighbours.
head -n 12 qa.jsonl | lm-decode -m whole/final --greedy --max-tokens 9 -z none > out.jsonl
jq -c '.completions | length' out.jsonl | sort | uniq -c
head -n 12 qa.jsonl | lm-decode -m whole/final --greedy --max-tokens 9 --chunk 5 --batch 2 -t 2 -z none | cmp - out.jsonl
head -n 12 qa.jsonl | lm-decode -m whole/final --greedy --max-tokens 9 --draft prompt-lookup -z none | cmp - out.jsonl
lm-train $m --plan | grep -c grouped_linear
# Settings change those of a preset.
lm-train --preset olmoe-nano --moe renorm=1 $s --plan 2>/dev/null | grep -o '4 of 16 experts of 24'
echo '[refused]'
try() { lm-train "$@" 2>&1; echo "status ${PIPESTATUS[0]}"; }
try --moe n=2,router=topk:3 $s -o no
try --moe n=4,fine-grained=5 $s -o no
try --moe n=4,router=best $s -o no
try --moe n=4,router=topk:2,n=8 $s -o no
try --moe n=4,router=switch,renorm=1 $s -o no
try --moe n=4,router=hash,gate=sigmoid $s -o no
try --moe n=4,router=hash $s --moe-z 0.1 -o no
try $s --moe-bias-update 0.1 -o no
try --arch mixtral --moe n=4,renorm=0 $s -o no
try --arch gpt2 --moe n=4 $s -o no
try --arch mixtral --moe-bias-update 0.01 $s -o no
try $s --moe-balance 0.1 -o no
try --init-from whole/final --moe-bias-update 0.01 --steps 1 --data data.json -o no
try $m --moe-bpr -o no
mkdir odd && cp -r whole/final/. odd && jq '.num_experts = 5' whole/final/config.json > odd/config.json
head -n 1 qa.jsonl | lm-decode -m odd; echo "status $?"
[ ! -e no ] || echo left
