# What a question gets depends on model, options, seed, id and sample only.
"$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-model m 1 262 160
for i in $(seq 12); do printf '{"id":"r%d","prompt":"the %d","refs":["x"],"perturb":[{"prompt":"in the %d"},{"prompt":"the"}]}\n' $i $i $i; done > in.jsonl
ask() { lm-uq sample -m m --max-tokens 8 -n 4 --answers 3 --p-true --p-true-votes 2 "$@"; }
ask in.jsonl -o want.jsonl
for how in '-t 1 --batch 1' '-t 2 --batch 3 --chunk 7' '-t 7 --batch 64 --chunk 2000' '--memory 40M'; do
  ask $how in.jsonl -o got.jsonl; cmp want.jsonl got.jsonl && echo "same $how"
done
ask --seed 2 in.jsonl -o other.jsonl; cmp -s want.jsonl other.jsonl || echo 'another seed, other bytes'
echo 'more samples begin with the fewer'
jq -c '[.id, .samples[:2], [.perturb[].samples[:3]]]' want.jsonl > few
lm-uq sample -m m -z none --max-tokens 8 -n 2 --answers 3 in.jsonl | jq -c '[.id, .samples, [.perturb[].samples]]' | cmp - few && echo same
echo 'a temperature does not depend on the others, which are lines of their own'
ask -z none --temperatures 0.5,1,1.5 in.jsonl > several.jsonl
jq -c '[.id, .temperature]' several.jsonl | head -n 4
for t in 0.5 1 1.5; do
  ask -z none --temperature $t in.jsonl | jq -c 'del(.lm)' > one
  jq -c "select(.temperature == $t) | del(.lm)" several.jsonl | cmp - one && echo "same at $t"
done
jq -s 'group_by(.id) | map(map(.greedy) | unique | length == 1) | all' several.jsonl
lm-uq -e label_prob -z none several.jsonl | lm-uq eval --correct exact --metrics tsu --boot 0 | head -n 1
echo 'two rewordings that are one text still have answers of their own'
echo '{"id":"a","prompt":"the","perturb":[{"prompt":"the"},{"prompt":"the"}]}' | lm-uq sample -m m -z none --max-tokens 8 -n 3 --answers 3 |
  jq -c '[.samples, .perturb[].samples] | unique | length'
