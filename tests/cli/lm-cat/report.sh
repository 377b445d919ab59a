printf '{"a":1}\n\n{"a":\n' >in.jsonl
lm-cat in.jsonl --on-error skip -q -o out --report r.json
jq -c '[.schema, .tool, .status, .exit, .error, .errors, .blank_lines, .inputs[0].records, .output.records, .shard, .threads >= 1]' r.json
lm-cat in.jsonl -o out --report r.json 2>/dev/null; echo "$?"
jq -c '[.status, .exit, .error.kind]' r.json
lm-cat --head 1 in.jsonl -o out --report - | jq -c '[.status, .output.records]'
lm-cat --head 1 in.jsonl -o out --report fd:3 3>&1 | jq -c .status
lm-cat --head 1 in.jsonl -o out --report fd:99; echo "$?"
lm-cat --head 1 in.jsonl -o out --report missing/r.json; echo "$?"
