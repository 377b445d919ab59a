# Documents read once and again, cut to the context.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
cat > in.jsonl <<'END'
{"id":"plain","context":" D. ","question":"q?"}
{"id":"fda","context":"Acme makes it. maker:","question":"maker","kind":"fda"}
{"id":"nq","context":"It rained. Did it?","question":"did it?","intro":"Did it?:","kind":"nq"}
{"id":"squad","context":"It rained. Question: x","question":"Did it?","cloze":" It rained. It ","kind":"squad"}
END
show='[.id, .prompt_text, .truncated]'
for how in off repeat question both; do
  lm-decode -m m -z none --max-tokens 1 --jrt $how --dump-prompt --echo --no-truncate in.jsonl | jq -c '[.id, .prompt_text // .error.message]'
done
for order in CQ QCQ CCQ CQCQ QCCQ; do
  lm-decode -m m -z none --max-tokens 1 --jrt-template $order --dump-prompt --echo in.jsonl | jq -c '.prompt_text' | head -n 1
done
lm-decode -m m -z none --max-tokens 1 --jrt both --jrt-times 3 --jrt-sep ' | ' --dump-prompt --echo in.jsonl | jq -c .prompt_text | head -n 1
echo 'Q: {{ question }} {% for i in range(times) %}{{ context }}{% endfor %}' > own.jinja
lm-decode -m m -z none --max-tokens 1 --jrt-template own.jinja --dump-prompt --echo in.jsonl | jq -c .prompt_text
echo "--- cut: context of 64, a begin token, two tokens to come"
cat > long.jsonl <<'END'
{"id":"fits","context":"0123456789","question":"q","kind":"answer"}
{"id":"cut","context":"0123456789abcdefghijklmnopqrstuvwxyz ABCDEFG","question":"q","kind":"answer","keep":1}
{"id":"wide","context":"\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9","question":"q","kind":"answer"}
{"id":"question","context":"D","question":"0123456789012345678901234567890123456789012345678901234567890123456789"}
END
lm-decode -q -m m -z none --max-tokens 2 --jrt repeat --echo long.jsonl | jq -c '[.id, .prompt_tokens, .prompt_text, .truncated, .completions[0].finish_reason, .error.message]'
lm-decode -q -m m -z none --max-tokens 2 --jrt repeat --no-truncate long.jsonl | jq -c '[.id, .prompt_tokens, .error.message]'
lm-decode -q -m m -z none --max-tokens 63 --jrt repeat long.jsonl | jq -c '[.id, .prompt_tokens, .error.message]' | head -n 1
# of the record's own max_tokens
echo '{"context":"0123456789abcdefghijklmnopqrstuvwxyz","question":"q","kind":"answer","params":{"max_tokens":40}}' |
  lm-decode -q -m m -z none --jrt repeat --drop-extra | jq -c '[.prompt_tokens, .truncated]'
echo "--- bad"
echo '{"context":"a","question":"b","kind":"essay"}' | lm-decode -q -m m -z none --dump-prompt | jq -c .error
echo '{"context":"a","question":"b","kind":3}' | lm-decode -q -m m -z none --dump-prompt | jq -c .error
echo '{"context":"a","question":3}' | lm-decode -q -m m -z none --dump-prompt | jq -c .error.code
for how in '--jrt-times 3' '--jrt-template CQX' '--jrt both --jrt-template CQ' '--jrt-template CCQ --jrt-times 3' '--jrt thrice'; do
  lm-decode -m m $how in.jsonl; echo "status $?"
done
# prompts of other names are not looked at
echo '{"context":"a","question":"in"}' | lm-decode -m m -z none --prompt-field question --dump-prompt
