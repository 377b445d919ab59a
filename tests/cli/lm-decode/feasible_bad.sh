# Instances, options and parameters that do not go with --feasible.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
k='{"problem":"knapsack","items":[[9,2]],"capacity":5}'
cat > in.jsonl <<E
{"id":"none","prompt":"x"}
{"id":"text","prompt":"x","instance":"knapsack"}
{"id":"unknown","prompt":"x","instance":{"problem":"sat"}}
{"id":"short","prompt":"x","instance":{"problem":"knapsack","items":[[9,2]]}}
{"id":"other","prompt":"x","instance":{"problem":"tsp","cities":[[0,0],[1,1]]}}
{"id":"regex","prompt":"x","regex":"a","instance":$k}
{"id":"penalty","prompt":"x","params":{"repetition_penalty":2},"instance":$k}
{"id":"stop","prompt":"x","params":{"stop":["]"]},"instance":$k}
{"id":"context","prompt":"in the end of a text in the end of a text in","instance":$k}
{"id":"good","prompt":"x","instance":$k}
E
lm-decode -q -m m --feasible knapsack -z none in.jsonl | jq -c '[.id, .error.code, .error.message, (.completions[0] | .finish_reason, .error.message, .feasible)]'
echo '{"id":"v","prompt":"x","instance":{"problem":"vrp","places":[[0,0],[1,1],[2,2]],"demands":[0,3,3],"capacity":5,"vehicles":1}}' |
  lm-decode -q -m m --feasible vrp -z none | jq -c '[.error.code, .error.message]'
for draw in gcd asap; do
  tail -n 4 in.jsonl | lm-decode -q -m m --feasible knapsack --feasible-draw $draw --temperature 0.5 -z none | jq -c '[.id, .error.code, .completions[0].finish_reason]'
done
try() { lm-decode -m m "$@" in.jsonl -o out.jsonl; echo "status $?"; rm -f out.jsonl; }
try --feasible sudoku
try --feasible tsp --json
try --feasible-draw gcd
try --feasible tsp --stop a
try --feasible tsp --small-model m
try --feasible tsp --logprobs --logprobs-from processed
# A tokenizer without a bracket.
jq -c 'del(.model.vocab["["])' m/tokenizer.json > t && mv t m/tokenizer.json
tail -n 1 in.jsonl | lm-decode -q -m m --feasible knapsack -z none | jq -c '[.error.code, .error.message]'
