"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
printf '%s\n' '{"id":"e","prompt":""}' '{"id":"a","prompt":"a"}' > in.jsonl
lm-decode -m m -z none --dump-prompt in.jsonl
lm-decode -q -m m -z none --no-bos --dump-prompt in.jsonl
echo '{"id":"s","prompt":"a</s>"}' | lm-decode -m m -z none --dump-prompt --special text
echo '{"id":"s","prompt":"a</s>"}' | lm-decode -q -m m -z none --dump-prompt --special error
