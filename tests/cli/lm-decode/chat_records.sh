# Bad records with messages, special tokens in them, answers added to them.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
cat > m/chat_template.jinja <<'END'
{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system, please') }}{% endif %}{{ m.role[0] }}:{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}a:{% endif %}
END
cat > bad.jsonl <<'END'
{"id":"none","messages":[]}
{"id":"text","messages":["hi"]}
{"id":"role","messages":[{"content":"x"}]}
{"id":"both","messages":[{"role":"user","content":"x"}],"prompt":"x"}
{"id":"tokens","messages":[{"role":"user","content":"x"}],"tokens":[1]}
{"id":"raise","messages":[{"role":"system","content":"x"}]}
{"id":"type","messages":[{"role":"user","content":{"a":1}}],"tools":{}}
{"id":"foreign","messages":3,"prompt":"a"}
{"id":"good","messages":[{"role":"user","content":"x"}],"keep": 1.50}
END
lm-decode -q -m m -z none --max-tokens 1 bad.jsonl | jq -c '[.id, .error // .prompt_tokens, .keep]'
lm-decode -q -m m -z none --max-tokens 1 --prompt-field id bad.jsonl | jq -c '[.id, .prompt_tokens]' | sort -u | head -n 3
echo "--- special tokens in messages"
echo '{"id":"s","messages":[{"role":"user","content":"x</s>y"}]}' > special.jsonl
for how in parse text error; do lm-decode -q -m m -z none --special $how --dump-prompt special.jsonl; done
echo "--- answers"
printf '%s\n' '{"id":7, "messages" : [ {"role":"user","content":"x", "n":1.50} ],"params":{"stop_ids":[120]}}' '{"id":"p","prompt":"x"}' > ask.jsonl
lm-decode -m m -z none --max-tokens 3 --reply messages ask.jsonl | jq -c '[.id, .messages, (.completions[0].text == .messages[-1].content)]'
lm-decode -m m -z none --max-tokens 3 --reply messages ask.jsonl | head -n 1 | cut -c 1-60
lm-decode -m m -z none --max-tokens 3 -n 2 --flat --reply messages ask.jsonl | jq -c '[.id, (.completion.text == .messages[-1].content), (.messages | length)]'
lm-decode -q -m m -z none --max-tokens 3 -n 2 --reply messages ask.jsonl | jq -c '[.id, .error]'
lm-decode -m m -z none --max-tokens 3 --drop-extra --echo --reply messages ask.jsonl | jq -c 'keys_unsorted'
echo "--- going on"
cat > on.jsonl <<'END'
{"id":"t","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"in"}]}
{"id":"l","messages":[{"role":"user","content":[{"type":"text","text":"in"},{"type":"image"}]}]}
END
lm-decode -q -m m -z none --continue-final-message --dump-prompt --echo on.jsonl | jq -c '[.id, .prompt_text, .error]'
lm-decode -q -m m -z none --max-tokens 2 --continue-final-message --reply messages on.jsonl | jq -c '.completions[0].text as $t | [.id, (.messages[-1].content == "in" + ($t // "")), (.messages | length), .error]'
echo "--- the same bytes for any batch and threads, and from a stopped run's file"
lm-decode -m m -z none --max-tokens 5 --reply messages --batch 1 -t 1 ask.jsonl > one
lm-decode -m m -z none --max-tokens 5 --reply messages --batch 8 -t 4 ask.jsonl | cmp - one && echo same
lm-decode -m m -z none --max-tokens 5 --reply messages --resume one ask.jsonl -o again && cmp one again && echo same
sed -i 's/a:/b:/' m/chat_template.jinja
lm-decode -q -m m -z none --max-tokens 5 --reply messages --resume one ask.jsonl -o again; cmp -s one again || echo "made again"
