# Masked diffusion: trained on texts, in blocks and on completions; resumed, begun from a model for next
# tokens, evaluated, planned, refused.
for i in $(seq 0 79); do printf '{"id":%d,"prompt":"say %d and %d: ","completion":"%d"}\n' $i $((i % 10)) $((i % 7)) $((9 - i % 10)); done > qa.jsonl
jq -c '{text:(.prompt+.completion)}' qa.jsonl > docs.jsonl
lm-tokenize train -q -n 280 --special-token '<|endoftext|>' --special-token '<mask>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize train -q -n 280 --special-token '<|endoftext|>' docs.jsonl -o plain.json 2>/dev/null
lm-tokenize pack -q -m tok.json docs.jsonl -o data
lm-tokenize pack -q -m plain.json docs.jsonl -o bare
m='--arch llama --layers 2 --width 32 --heads 4 --seq-len 32 --lr 1e-2 --schedule constant --warmup 0'
s="$m --batch 8 --steps 60 --data data.json --tokenizer tok.json --eval-data data.json --eval-draws 4"
for run in mdlm llada bd3; do
  lm-train -q $s --objective $run -t 1 -o $run
  lm-train -q ${s/--steps 60/--steps 30} --objective $run -t 2 -o $run.part
  lm-train -q $s --objective $run --extend -t 2 -o $run.part
  for f in config.json model.safetensors state/state.json; do cmp $run/final/$f $run.part/final/$f; done
  jq -c '[.architectures[0], .lm_diffusion.block, .vocab_size]' $run/final/config.json
  jq -s -c '[.[0].loss > 1, .[0].masked > 0.2, .[-2].masked_ce < .[0].masked_ce, .[-1].eval_bound, .[-1].eval_loss < 4, .[-1].eval_bpb > 0]' $run/metrics.jsonl
done
# How a batch is divided changes neither draws nor, but for rounding, losses.
lm-train -q $s --objective mdlm --micro-batch 2 -o small
paste <(jq .loss mdlm/metrics.jsonl | head -n 1) <(jq .loss small/metrics.jsonl | head -n 1) | awk '{ d = $1 - $2; print (d < 1e-5 && d > -1e-5) }'
# A block of a whole sequence is no block.
lm-train -q $s --objective bd3 --block 32 -o one
paste <(jq -c '[.loss, .masked_ce]' mdlm/metrics.jsonl | head -n 1) <(jq -c '[.loss, .masked_ce]' one/metrics.jsonl | head -n 1) | awk '{ print $1 == $2 }'
for w in uniform clip:2; do
  lm-train -q $s --objective mdlm --loss-weight $w -o $w
  cmp -s mdlm/final/model.safetensors $w/final/model.safetensors || echo differs
done
lm-train -q $s --objective bd3 --block 4 --t-clip 0.3,0.8 --doc-mask -o clipped
# From a model for next tokens, whose vocabulary grows by a row; and on from there to completions.
lm-train -q $m --batch 8 --steps 20 --data bare.json --tokenizer plain.json -o causal
lm-train -q --init-from causal/final --seq-len 32 --batch 8 --steps 20 --data bare.json --objective mdlm --mask-token new -o grown
jq -s -c 'map(.vocab_size) | [.[1] - .[0]]' causal/final/config.json grown/final/config.json
jq -c '.vocab_size - .lm_diffusion.mask_token_id' grown/final/config.json
lm-train -q $m --batch 8 --steps 5 --data bare.json --tokenizer plain.json --objective llada --mask-token new -o fresh
jq -c '.vocab_size - .lm_diffusion.mask_token_id' fresh/final/config.json
t='--init-from mdlm/final --objective llada-sft --batch 8 --epochs 20 --lr 1e-2'
lm-train -q $t -t 1 -o tuned qa.jsonl
lm-train -q $t -t 2 -o again < qa.jsonl
cmp tuned/final/model.safetensors again/final/model.safetensors
jq -s -c '[.[0].loss > .[-1].loss, .[-1].step]' tuned/metrics.jsonl
lm-train -q $t --no-eos -o open qa.jsonl
jq -s -c '.[-1].step < 200' open/metrics.jsonl
lm-train -q --init-from mdlm/final --lora r=2 --objective mdlm --seq-len 32 --batch 8 --steps 2 --data data.json -o lora
# Rows see twice as many as causal ones do; in blocks there are two of them a token.
for o in next-token mdlm bd3; do
  lm-train ${s/--eval-draws 4/} --objective $o --plan 2>/dev/null | awk -v o=$o '/^attention / { print o, $3 } /^tokens per step/ { print $4 }'
done
lm-train -q $s --objective bd3 --throughput | grep -c tokens/s
echo '[refused]'
try() { lm-train "$@" 2>&1; echo "status ${PIPESTATUS[0]}"; }
p="$m --batch 8 --steps 2 --data bare.json --tokenizer plain.json --objective mdlm -o no"
try $p
try $p --mask-token '<none>'
try $p --mask-token 5000
try $p --mask-token new --vocab 262
id=$(lm-tokenize -q -m plain.json -z none docs.jsonl | jq -n 'input.input_ids[0]')
try $p --mask-token "$id" | sed -E 's/sequence [0-9]+: token [0-9]+ is the mask token [0-9]+/sequence S: token T is the mask token I/'
try ${p/llama/qlstm} --mask-token new
try ${p/llama/mistral} --window 8 --mask-token new
try $p --attn sparse --sparse fixed:block=16,local=2,global=1 --mask-token new
try $p --embed gaussian --mask-token new
try $p --mask-token new --loss-weight clip:0
try ${p/mdlm/bd3} --mask-token new --t-clip 0.8,0.3
try $p --mask-token new --block 4
try --init-from mdlm/final --seq-len 32 --batch 8 --steps 2 --data data.json -o no
try --init-from mdlm/final --seq-len 32 --batch 8 --steps 2 --data data.json --objective mdlm --mask-token 7 -o no
try --init-from mdlm/final --seq-len 32 --batch 8 --steps 2 --data data.json --objective mdlm --mask-token new -o no
try --init-from bd3/final --seq-len 32 --batch 8 --steps 2 --data data.json --objective mdlm -o no
try --init-from causal/final --lora r=2 --seq-len 32 --batch 8 --steps 2 --data bare.json --objective mdlm --mask-token 3 -o no
try --init-from mdlm/final --objective reward --batch 8 --steps 2 -o no qa.jsonl
try $s --objective mdlm --loss-weight uniform -o mdlm | sed -E 's/[0-9a-f]{16}/D/g'
[ ! -e no ] || echo left
