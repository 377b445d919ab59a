printf '%s\n' '{"id":"a","text":"1","k":"x"}' '{"id":"b","text":"2"}' '{"id":"c","text":"3","k":null}' '{"id":"d","text":"4","k":7}' \
  '{"id":"e","text":"5","k":7}' > in.jsonl
lm-dedup --key k -z none in.jsonl; echo "status $?"
lm-dedup --key k --on-missing keep --action remove -z none in.jsonl
