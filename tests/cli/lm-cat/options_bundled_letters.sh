printf '{"a":1}\n{"a":2}\n' | lm-cat -qn1 -znone
printf '{"a":1}\n' | lm-cat -vv --print-config | grep '^verbose'
