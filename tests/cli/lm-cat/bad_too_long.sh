{ echo '{"a":1}'; printf '{"a":"%s"}\n' "$(head -c 3000 /dev/zero | tr '\0' x)"; echo '{"b":2}'; } >in.jsonl
lm-cat -z none --max-record 1K --on-error skip in.jsonl
lm-cat -z none --max-record 1K in.jsonl -o out; echo "status $?"
