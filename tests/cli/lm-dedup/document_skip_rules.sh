printf '%s\n' '{"text":""}' '{"text":" \n"}' '{"text":"a b"}' '{"text":"a b"}' '{"text":"a b c"}' '{"text":"a b c"}' > in.jsonl
lm-dedup --action remove -z none in.jsonl; echo
lm-dedup --action remove --min-words 3 -z none in.jsonl; echo
lm-dedup --action remove --min-chars 4 --dedup-empty -z none in.jsonl; echo
printf '%s\n' '{"text":""}' '{"text":""}' | lm-dedup --action remove --dedup-empty -z none
