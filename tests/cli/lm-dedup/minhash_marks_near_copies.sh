printf '%s\n' '{"id":"a","text":"The quick brown fox jumps over the lazy dog, twice"}' '{"id":"b","text":""}' \
  '{"id":"c","text":"something else that nobody else has written down before"}' \
  '{"id":"d","text":"the quick, brown fox jumps over the lazy dog twice!"}' '{"id":"e","text":"..."}' '{"text":"the quick brown fox jumps over the lazy dog twice","id":6}' > in.jsonl
lm-dedup minhash --cluster-info --table table.jsonl -z none in.jsonl; cat table.jsonl
lm-dedup minhash --action remove -z none < in.jsonl
lm-dedup minhash --action remove --max-copies 2 -z none in.jsonl | wc -l
