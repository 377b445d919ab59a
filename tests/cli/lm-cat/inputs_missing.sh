printf '{"a":1}\n' >a
lm-cat a missing -o out; echo "$?"
lm-cat . -o out; echo "$?"
ls -A
