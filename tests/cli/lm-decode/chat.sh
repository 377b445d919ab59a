# Messages become prompts by the folder's template, by one of ours, by a file.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
cat > in.jsonl <<'END'
{"id":"one","messages":[{"role":"user","content":"hi"}]}
{"id":"turns","messages":[{"role":"system","content":"S"},{"role":"user","content":"a"},{"role":"assistant","content":" b "},{"role":"user","content":"c"}],"keep":[1, 2]}
{"id":"prompt","prompt":"a"}
END
echo "--- no template"
lm-decode -q -m m -z none --dump-prompt in.jsonl; echo "status $?"
lm-decode -q -m m -z none --dump-prompt <(tail -n 1 in.jsonl)
for name in chatml llama2 llama3 mistral phi3 vicuna zephyr alpaca; do
  echo "--- $name"
  lm-decode -m m -z none --chat $name --dump-prompt --echo in.jsonl | jq -c '[.id, .prompt_text]'
done
echo "--- no begin token but the template's"
lm-decode -m m -z none --chat chatml --dump-prompt in.jsonl | jq -c '[.id, .tokens[0]]'
lm-decode -m m -z none --chat llama2 --dump-prompt in.jsonl | jq -c '[.id, .tokens[0:2]]'
echo "--- the folder's own"
cat > m/chat_template.jinja <<'END'
{{ bos_token }}{% for m in messages %}
[{{ m.role }}] {{ m.content | trim }}{{ eos_token }}
{% endfor %}
{% if tools %}{{ tools | tojson }}{% endif %}
{{- extra | default('') }}
END
lm-decode -m m -z none --dump-prompt --echo in.jsonl | jq -c '[.id, .prompt_text, (.tokens | length)]'
echo '{"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","n":1.50}],"documents":null}' |
  lm-decode -m m -z none --dump-prompt --echo --chat-var extra=true --chat-var bos_token=B | jq -c .prompt_text
echo "--- named ones"
rm m/chat_template.jinja
cat > m/tokenizer_config.json <<'END'
{"bos_token":"<s>","eos_token":"</s>","chat_template":[{"name":"short","template":"{{ messages[0].content }}!"},{"name":"tool_use","template":"{{ tools[0].name }}?"}]}
END
lm-decode -q -m m -z none --dump-prompt in.jsonl; echo "status $?"
lm-decode -m m -z none --chat short --dump-prompt --echo in.jsonl | jq -c .prompt_text
echo '{"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f"}]}' | lm-decode -m m -z none --dump-prompt --echo | jq -c .prompt_text
lm-decode -m m --chat shrt in.jsonl; echo "status $?"
echo "--- a file, and the day"
echo '{{ strftime_now("%d %b %Y") if strftime_now is defined else "no day" }} {{ messages | length }}' > day.jinja
lm-decode -m m -z none --chat day.jinja --dump-prompt --echo in.jsonl | jq -c .prompt_text
lm-decode -m m -z none --chat day.jinja --date 2026-02-03 --dump-prompt --echo in.jsonl | jq -c .prompt_text
lm-decode -m m --chat day.jinja --date 2026-02-30 in.jsonl; echo "status $?"
lm-decode -m m --chat day.jinja --chat-var x in.jsonl; echo "status $?"
lm-decode -m m --chat day.jinja in.jsonl -o day.jinja; echo "status $?"
echo "--- a template that is not understood matters to messages only"
echo '{% include "x" %}' > m/chat_template.jinja
lm-decode -m m -z none --dump-prompt <(tail -n 1 in.jsonl)
lm-decode -m m -z none --dump-prompt in.jsonl; echo "status $?"
