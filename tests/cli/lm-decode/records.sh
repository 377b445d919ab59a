"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
printf '%s\n' '{"x": 1.50,"prompt":"a","id":7}' '{"prompt":"b"}' > in.jsonl
lm-decode -m m -z none -n 2 --flat --max-tokens 2 in.jsonl | jq -c 'keys_unsorted, .id, .completion.index'
lm-decode -m m -z none --drop-extra --greedy --tokens --logprobs --top-logprobs 2 --prompt-logprobs --max-tokens 3 in.jsonl |
  jq -c '[.id, (.prompt_logprobs | length), (.completions[0] | (.tokens, .logprobs, .top_logprobs | length), .tokens == [.top_logprobs[][0][0]], .logprobs == [.top_logprobs[][0][1]]), .params.temperature]'
lm-decode -m m -z none --max-tokens 2 in.jsonl | head -n 1 | cut -c 1-50
