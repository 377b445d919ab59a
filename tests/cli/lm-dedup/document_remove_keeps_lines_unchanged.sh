printf '%s\n' '{"id":1,  "text":"a"}' '{"text":"a","id":2}' '{"id":3,"text":"b" }' > in.jsonl
lm-dedup --action remove -z none in.jsonl in.jsonl
