# The last message is scored given those before it; choices given all of them.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
cat > m/chat_template.jinja <<'END'
{{ bos_token }}{% for m in messages %}{{ m.role[0] }}:{{ m.content | trim }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}a:{% endif %}
END
cat > in.jsonl <<'END'
{"id":"last","messages":[{"role":"user","content":"in"},{"role":"assistant","content":"the end "}]}
{"id":"choices","messages":[{"role":"user","content":"in"}],"choices":["the end","the"]}
{"id":"completion","messages":[{"role":"user","content":"in"}],"completion":"the end"}
{"id":"asks","messages":[{"role":"user","content":"in"}]}
{"id":"both","messages":[{"role":"user","content":"in"}],"prompt":"x","completion":"y"}
{"id":"text","messages":[{"role":"user","content":"in"}],"text":"abc"}
END
lm-decode score -q -m m -z none --per-token in.jsonl | jq -c '[.id, (.score // .scores[0] | .token_ids), .error]'
# as a prompt that is written out
lm-decode score -q -m m -z none in.jsonl | jq -c 'select(.id == "last") | .score' > chat
echo '{"prompt":"u:in</s>a:","completion":"the end"}' | lm-decode score -q -m m -z none | jq -c .score | cmp - chat && echo same
lm-decode score -q -m m -z none in.jsonl | jq -c 'select(.id == "choices") | .scores[0], .best'
echo '{"messages":[{"role":"user","content":"</s>"}],"choices":["a</s>","b"]}' > special.jsonl
for how in parse text error; do
  lm-decode score -q -m m -z none --special $how --per-token special.jsonl | jq -c '[(.scores // [] | .[].token_ids), .error.code]'
done
# a field that is asked for by that name has no other meaning
echo '{"messages":"abc"}' | lm-decode score -q -m m -z none --field messages | jq -c .score.tokens
