# A dense model as a mixture of experts: the same answers, then trained further; what cannot be one is refused.
"$(dirname "$(command -v lm-merge)")"/helpers/make-tiny-model dense
lm-merge -q --upcycle 4 --active 3 dense -o moe
jq -c '[.model_type, .architectures[0], .num_local_experts, .num_experts_per_tok]' moe/config.json
lm-merge -q --upcycle 4 --active 3 dense -o again && cmp moe/model.safetensors again/model.safetensors
lm-merge -q --upcycle 4 --active 3 --seed 2 dense -o other; cmp -s moe/model.safetensors other/model.safetensors || echo 'other routers'
for i in 1 2 3 4; do printf '{"prompt":"the cat %d","completion":" sat on %d"}\n' $i $i; done > qa.jsonl
for m in dense moe; do lm-decode score -q -m $m -z none qa.jsonl | jq -c '.score.logprob' > $m.out; done
paste dense.out moe.out | awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-5 * -$1) print "differ:", $0 }'
wc -l < moe.out
lm-train -q --init-from moe --objective sft --steps 2 --batch 4 --seq-len 32 qa.jsonl -o run
jq -s -c '.[-1].moe_load_cv | length' run/metrics.jsonl
echo '[refused]'
lm-merge --upcycle 2 --active 3 dense -o no; echo "status $?"
lm-merge --upcycle 2 moe -o no; echo "status $?"
lm-merge --upcycle 2 dense dense -o no; echo "status $?"
lm-merge --upcycle 2 dense; echo "status $?"
lm-merge --upcycle 4096 dense --memory 20M -o no 2>/dev/null; echo "status $?"
[ ! -e no ] || echo left
