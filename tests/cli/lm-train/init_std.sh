# The deviation new matrices are drawn with is the model's own and comes back with it.
for i in $(seq 40); do printf '{"id":"%d","input_ids":[1,2,3,4,5,6,7,%d],"loss_mask":[1,1,1,1,1,1,1,1]}\n' $i $((i % 8)); done > ids.jsonl
t='lm-train -q --vocab 8 --layers 2 --width 32 --heads 4 --seq-len 7 --batch 4 --steps 1 --objective sft --no-eos --no-pack --lr 1e-9'
for s in 0.02 0.2; do $t --init-std $s ids.jsonl -o m$s; done
jq -c .initializer_range m0.02/final/config.json m0.2/final/config.json
$t ids.jsonl -o plain && cmp plain/final/model.safetensors m0.02/final/model.safetensors
# logits that are larger and no better
jq -s '.[1].loss > .[0].loss' m0.02/metrics.jsonl m0.2/metrics.jsonl
$t --init-std 0.2 --init-from plain/final ids.jsonl -o no; echo "status $?"
$t --init-std 0 ids.jsonl -o no; echo "status $?"
