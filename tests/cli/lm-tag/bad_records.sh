printf '%s\n' '{"text":"a"}' '{"text":7}' '{}' '{"text":"\ud800"}' '{"text":"ok."}' > in.jsonl
lm-tag -T c4_v1 -q --no-declare -z none in.jsonl; echo "status $?"
lm-tag -T c4_v1 --no-declare -z none --on-error skip in.jsonl 2>/dev/null; echo "status $?"
lm-tag -T c4_v1 -q --no-declare -z none --on-error quarantine --rejects bad.jsonl in.jsonl > /dev/null
jq -c .error.code bad.jsonl
printf '{"text":"\xff"}\n' | lm-tag -T c4_v1 -q -z none; echo "status $?"
