printf '%s\n' '{"text":"a","attributes":[]}' | lm-dedup -z none; echo "status $?"
printf '%s\n' '{"text":7}' | lm-dedup -z none; echo "status $?"
printf '%s\n' '{"text":"a"}' '{"text":{}}' '{"text":"a"}' | lm-dedup --on-error skip -z none
