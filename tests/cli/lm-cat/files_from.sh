printf '{"a":1}\n' >'a b'; printf '{"b":1}\n' >b; printf 'a b\r\nb\n' >list; printf 'b\0a b\0' >list0
lm-cat -z none --files-from list
lm-cat -z none --files0-from list0
printf 'b\n' | lm-cat -z none --files-from - 'a b'
lm-cat --files-from missing; echo "$?"
