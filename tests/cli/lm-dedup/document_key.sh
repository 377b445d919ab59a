printf '%s\n' '{"id":"a","text":"1","metadata":{"url":"http://X.org/p/"}}' \
  '{"id":"b","text":"2","metadata":{"url":"https://x.org/p?q"}}' '{"id":"c","text":"3","metadata":{"url":"x.org/r"}}' > in.jsonl
lm-dedup --key metadata.url --normalise url -z none in.jsonl
lm-dedup --key metadata.url --key text --action remove -z none in.jsonl in.jsonl | wc -l
