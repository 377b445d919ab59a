# generation_config.json beneath options and records.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
echo '{"id":"a","prompt":"in"}' > in.jsonl
echo '{"id":"a","prompt":"in","params":{"top_k":3,"max_tokens":2}}' > own.jsonl
lm-decode -m m -z none --max-tokens 2 in.jsonl > before
echo '{"eos_token_id":[261],"do_sample":true,"temperature":0.5,"top_k":20,"max_new_tokens":4,"num_return_sequences":2,"stop_strings":["zz"],"max_length":99}' > m/generation_config.json
show='[.params.temperature, .params.top_k, .params.max_tokens, .params.n, .params.stop, (.completions | length)]'
lm-decode -m m -z none in.jsonl | jq -c "$show"
lm-decode -m m -z none --temperature 1 --top-k 5 -n 1 --stop q in.jsonl | jq -c "$show"
lm-decode -m m -z none own.jsonl | jq -c "$show"
lm-decode -m m -z none --no-model-defaults --max-tokens 2 in.jsonl | jq -c "$show"
lm-decode -m m -z none --no-model-defaults --max-tokens 2 in.jsonl | jq -S 'del(.lm)' > after
jq -S 'del(.lm)' before | cmp - after && echo "as before"
# settings that repeat the defaults do not ask for them
lm-decode -m m -z none --print-config > conf.toml
lm-decode -m m -z none in.jsonl > one; lm-decode -m m --config conf.toml -z none in.jsonl | cmp - one && echo same
lm-decode -m m -v -z none in.jsonl 2>&1 >/dev/null | grep generation_config
echo "--- greedy"
echo '{"do_sample":false,"top_p":0.9,"shout":1}' > m/generation_config.json
lm-decode -m m -z none --max-tokens 2 --top-k 3 in.jsonl | jq -c "$show"
lm-decode -q -m m -z none --max-tokens 2 --greedy in.jsonl | jq -c '[.params.temperature]'
lm-decode -q -m m -z none --max-tokens 2 --temperature 0.7 in.jsonl | jq -c '[.params.temperature, .params.top_p]'
echo "--- refused"
for config in '{"num_beams":4}' '{"temperature":"hot"}' '{"guidance_scale":1.5}' '{"suppress_tokens":[-1]}' '{'; do
  echo "$config" > m/generation_config.json
  lm-decode -m m -z none --max-tokens 1 in.jsonl > /dev/null; echo "status $?"
done
echo '{"suppress_tokens":[300]}' > m/generation_config.json
lm-decode -m m -z none --max-tokens 1 in.jsonl; echo "status $?"
echo '{"num_beams":4}' > m/generation_config.json
lm-decode -m m -z none --no-model-defaults --max-tokens 1 in.jsonl | jq -c .params.n
lm-decode score -m m -z none <<< '{"text":"abc"}' | jq -c .score.tokens
