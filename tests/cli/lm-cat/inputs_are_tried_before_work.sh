printf '{"n":1}\n{"n":2}\n' >a
lm-cat -z none -n 1 a missing.jsonl
