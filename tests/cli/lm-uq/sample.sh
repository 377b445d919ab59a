"$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-model m 1 262 128
printf '%s\n' '{"x": 1.50,"prompt":"in the end","id":7,"refs":["a"]}' \
  '{"id":"w","prompt":"the sun","perturb":[{"kind":"gaap", "prompt":"a star","similarity":0.50,"samples":["old"]},{"prompt":"the sun is"}],"y":[ 1 ]}' > in.jsonl
lm-uq sample -m m -z none -n 3 --answers 2 --max-tokens 6 --p-true --p-true-votes 2 --top-logprobs 262 --temperature 0.8 in.jsonl > out.jsonl
echo 'what was there stays byte for byte; answers are added'
sed 's/,"temperature".*//' out.jsonl | head -n 1
grep -o '"perturb":\[{"kind":"gaap", "prompt":"a star","similarity":0.50,"samples":\[{' out.jsonl
jq -c '[.id, (keys_unsorted - ["x", "y", "id", "prompt", "refs"]), .temperature, .vocab, (.samples | length), [.perturb[]?.samples | length], (.p_true_samples | length)]' out.jsonl
jq -c '.greedy | [(.tokens, .logp, .entropy, .sqrt_mass, .mean_logp, .logp0, .top | length), (.tokens == [.top[][0][0]]), (.logp == [.top[][0][1]])]' out.jsonl
echo 'entropy, square roots and mean are those of the whole distribution'
jq -c '.greedy | [range(.top | length)] as $at | . as $g | [$at[] | . as $i | $g.top[$i] | map(.[1]) | {
    entropy: (map(-(exp) * .) | add), mean: (add / length),
    roots: ((map(. / 4 | exp) | add) / (map(. / 2 | exp) | add | sqrt))} |
    ((.entropy - $g.entropy[$i] | fabs) < 1e-4 and (.mean - $g.mean_logp[$i] | fabs) < 1e-4 and (.roots - $g.sqrt_mass[$i] | fabs) < 1e-4)] | all' out.jsonl
echo 'answers are those of lm-decode'
lm-decode -m m -z none --greedy --logprobs --max-tokens 6 in.jsonl | jq -c '.completions[0] | [.text, .logprobs]' > want
jq -c '[.greedy.text, .greedy.logp]' out.jsonl | cmp - want && echo greedy
lm-decode -m m -z none -n 3 --temperature 0.8 --logprobs --max-tokens 6 in.jsonl | jq -c '[.completions[] | {text, logp: .logprobs}]' > want
jq -c '.samples' out.jsonl | cmp - want && echo samples
jq -c '{id, tokens: ([260] + .greedy.tokens)}' out.jsonl | lm-decode -m m -z none --prompt-logprobs --max-tokens 1 | jq -c '.prompt_logprobs' > want
jq -c '.greedy.logp0' out.jsonl | cmp - want && echo 'without the prompt'
jq -c '{prompt: "Question: \(.prompt)\nProposed answer: \(.greedy.text)\nIs the proposed answer true or false?\nIt is", completion: " True"}' out.jsonl |
  lm-decode score -m m -z none > want
jq -s '[.[:2], .[2:]] | transpose | map((.[0].p_true / (.[1].score.sum | exp) - 1 | fabs) < 1e-3) | all' out.jsonl want
echo 'scores of all of it'
lm-uq -z none out.jsonl | jq -c '.uq.scores | [has("msp", "margin", "pmi", "cpmi", "renyi", "fisher_rao", "self_certainty", "semantic_entropy", "p_true", "p_true_sampled", "inv_entropy")]'
