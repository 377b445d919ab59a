printf '{"a":1}\n' >a; printf '{"b":1}\n' >b
lm-cat a --compress none b --head 5
