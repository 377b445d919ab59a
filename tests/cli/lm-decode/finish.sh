"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
# 120 is x, 261 is </s>
printf '%s\n' '{"id":"eos","prompt":"a","params":{"logit_bias":{"261":1e6}}}' \
  '{"id":"stop_id","prompt":"a","params":{"logit_bias":{"120":1e6},"stop_ids":[120]}}' \
  '{"id":"stop","prompt":"a","params":{"logit_bias":{"120":1e6},"stop":"xxx","include_stop":true}}' \
  '{"id":"length","prompt":"a","params":{"logit_bias":{"120":1e6},"max_tokens":2}}' \
  '{"id":"context","prompt":"a","params":{"logit_bias":{"120":1e6},"max_tokens":999}}' \
  '{"id":"repetition","prompt":"a","params":{"logit_bias":{"120":1e6},"loop_size":2}}' \
  '{"id":"flag","prompt":"a","params":{"logit_bias":{"120":1e6}}}' > in.jsonl
lm-decode -m m -z none --max-tokens 5 in.jsonl | jq -c '[.id, (.completions[0] | .finish_reason, .text, .completion_tokens)]'
lm-decode -m m -z none --max-tokens 5 --logit-bias 120:-inf --logit-bias 121:1e6 --stop yy in.jsonl | jq -c 'select(.id == "flag") | .completions[0].text'
echo '{"id":"f","prompt":"a"}' | lm-decode -m m -z none --max-tokens 5 --logit-bias 121:1e6 --stop yyy | jq -c '.completions[0] | [.finish_reason, .text]'
