helpers="$(dirname "$(command -v lm-uq)")"/helpers
"$helpers"/make-tiny-wordnet wn
printf '%s\n' '{"x": 1.50,"prompt":"Which dog ran to the big house?","id":7}' \
  '{"id":"one","prompt":"puppy"}' \
  '{"id":"kept","prompt":"a dog","perturb":[{"prompt":"a hound", "kind":"own"},{"kind":"gaap","prompt":"old"}],"y":[ 1 ]}' > in.jsonl
lm-uq perturb --wordnet wn -n 4 -z none in.jsonl
echo 'more of them, all different, none the prompt'
lm-uq perturb --wordnet wn -n 60 -z none in.jsonl |
  jq -c '[.id, (.perturb | length), ([.perturb[].prompt] | unique | length), (.prompt as $p | any(.perturb[]; .prompt == $p)), ([.perturb[].generation] | max)]'
echo 'what is protected stays'
lm-uq perturb --wordnet wn --keywords 1 -n 60 --protect '\bb\w+' --protect 'dog' -z none in.jsonl | head -n 1 | jq -c '[.perturb[].prompt | contains("dog") and contains("big")] | all'
echo 'documents say what is rare'
printf '{"prompt":"dog house"}\n{"prompt":"which dog ran to the big house"}\n{"text":1}\n' > docs.jsonl
lm-uq perturb --wordnet wn --documents docs.jsonl --keywords 0.3 -n 60 -z none in.jsonl | head -n 1 | jq -c '[.perturb[].prompt | contains("dog") and contains("house")] | all'
echo 'same bytes for any number of threads, others for another seed'
for i in $(seq 300); do printf '{"id":%d,"prompt":"The big dog %d ran quickly to a remote house where an animal moved the puppy"}\n' $i $i; done > many.jsonl
lm-uq perturb --wordnet wn -t 1 many.jsonl -o want.jsonl
for t in 2 7; do lm-uq perturb --wordnet wn -t $t many.jsonl -o got.jsonl; cmp want.jsonl got.jsonl && echo same; done
lm-uq perturb --wordnet wn --seed 2 many.jsonl -o got.jsonl; cmp -s want.jsonl got.jsonl || echo other
echo 'sample answers them, score uses the answers'
"$helpers"/make-tiny-model m
lm-uq perturb --wordnet wn -n 3 in.jsonl | lm-uq sample -m m --answers 2 --max-tokens 3 | lm-uq -e inv_trace -z none | jq -c '[.id, (.perturb | length), (.uq.scores | has("inv_trace")), .uq.rewordings]'
