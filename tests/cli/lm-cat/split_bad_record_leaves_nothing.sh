printf '{"n":1}\n{"n":\n' >in.jsonl
lm-cat --split 2 -o 'part-%d' in.jsonl; echo "$?"
ls -A
