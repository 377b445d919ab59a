printf '{"a":1}\n' >a; printf '{"b":1}\n' >b
printf '{"stdin":1}\n' | lm-cat a - b -z none
