printf '{"a":1}\n{\n' | lm-cat -q --on-error skip -z none
printf '{\n' | lm-cat -q -z none
