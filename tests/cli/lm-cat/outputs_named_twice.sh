printf '{"a":1}\n' >a; ln -s out link
lm-cat --on-error quarantine --rejects out a -o out; echo "$?"
lm-cat --report ./out a -o out; echo "$?"
lm-cat --report link a -o out; echo "$?"
ls -A
