# Compute classes: steps by a reference's throughput, given or measured; a measured run keeps its steps, and
# measuring moves nothing.
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"text\":\""; for (j = 0; j < 30; ++j) printf "%d", (i + j * j) % 10; print "\"}" } }' > docs.jsonl
lm-tokenize train -q -n 257 --special-token '<a>' docs.jsonl -o tok.json
lm-tokenize pack -q -m tok.json docs.jsonl -o data
m='--arch llama --layers 1 --width 16 --heads 2 --seq-len 16 --batch 4 --data data.json'
# 1000 tokens/s, 0.001 h = 3.6 s, 64 tokens a step: 56.25 steps.
for class in 0.001h 0.06m 3.6s; do
  lm-train $m --compute-class $class --ref-throughput 1000 -o given-$class
  jq -s length given-$class/metrics.jsonl
done
jq -c '.params | [."compute-class", ."ref-throughput", ."class-steps"]' given-3.6s/final/training.json
lm-train $m --compute-class 3.6s --ref-throughput 1000 -o given-3.6s; echo "status $?"
lm-train $m --compute-class 7.2s --ref-throughput 1000 -o given-3.6s; echo "status $?"
lm-train $m --compute-class 3.6s --ref-throughput 1000 --schedule constant --warmup 0 -o longer
lm-train $m --compute-class 7.2s --ref-throughput 1000 --schedule constant --warmup 0 --extend -o longer
jq -s length longer/metrics.jsonl
# The learning rate falls to its floor at the last step.
lm-train $m --compute-class 3.6s --ref-throughput 1000 --lr 1e-3 --lr-floor 0.01 -o cosine
jq -sc '[(.[-1].lr * 1e6 | round), (.[28].lr * 1e5 | round)]' cosine/metrics.jsonl
# Measured: the weights are those of a run of as many steps.
lm-train $m --compute-class 20ms -o none; echo "status $?"
lm-train $m --dropout 0.1 --compute-class 0.1s -v --report r.json -o auto 2>&1 | grep -o 'tokens/s measured'
n=$(jq -s length auto/metrics.jsonl)
jq --argjson n "$n" '.metrics | [.measured_tokens_per_s > 0, .steps == $n]' -c r.json
lm-train $m --dropout 0.1 --steps "$n" -o counted
cmp auto/final/model.safetensors counted/final/model.safetensors
# Going on asks nothing again.
lm-train $m --compute-class 0.3s --save-every 1 --keep 2 -o part
n=$(jq -s length part/metrics.jsonl)
rm -r part/final part/latest "part/step-$(printf %08d "$n")"
lm-train $m --compute-class 0.3s --save-every 1 --keep 2 -v -o part 2>&1 | grep -c measured
jq -s --argjson n "$n" 'length == $n' part/metrics.jsonl
# The throughput alone: no data, no folder.
lm-train --preset llama-nano --vocab 300 --batch 2 --seq-len 32 --throughput --compute-class 1m | sed -E 's/[0-9]+\.[0-9]+/N/; s/^(steps +)[0-9]+/\1N/'
lm-train $m --throughput | wc -l
[ ! -e none ] || echo left
try() { lm-train "$@"; echo "status $?"; }
try $m --compute-class 6 -o none
try $m --compute-class -1h -o none
try $m --compute-class 6h --ref-throughput fast -o none
try $m --ref-throughput 1000 --steps 5 -o none
try $m --compute-class 6h --steps 5 -o none
try $m -o none
try $m --throughput --plan
