"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
printf '%s\n' '{"x": 1.50,"prompt":"a","id":7}' '{"prompt":"b"}' > in.jsonl
lm-decode -m m -z none -n 2 --flat --max-tokens 2 in.jsonl | jq -c 'keys_unsorted, .id, .completion.index'
lm-decode -m m -z none --drop-extra --greedy --tokens --logprobs --top-logprobs 2 --prompt-logprobs --max-tokens 3 in.jsonl |
  jq -c '[.id, (.prompt_logprobs | length), (.completions[0] | (.tokens, .logprobs, .top_logprobs | length), .tokens == [.top_logprobs[][0][0]], .logprobs == [.top_logprobs[][0][1]]), .params.temperature]'
lm-decode -m m -z none --max-tokens 2 in.jsonl | head -n 1 | cut -c 1-50
# the output's params, given back, make the same text
lm-decode -m m -z none --seed 5 --temperature 0.7 -n 2 --max-tokens 4 in.jsonl | jq -c '{id, prompt, params, want: .completions}' |
  lm-decode -m m -z none | jq -c '.want == .completions'
# a vocabulary that is padded beyond the tokenizer's
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model padded 1 300
echo '{"tokens":[260,299,97],"params":{"logit_bias":{"280":1e6},"dry_multiplier":1}}' > padded.jsonl
lm-decode -m padded -z none --tokens --max-tokens 2 padded.jsonl | jq -c '.completions[0] | [.text, .tokens]'
lm-decode -m padded -z none --dump-prompt padded.jsonl
