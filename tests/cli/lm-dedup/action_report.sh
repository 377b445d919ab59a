# records pass unchanged; the report counts what would be marked
printf '%s\n' '{"id":1, "text":"one two three four five six\nend"}' '{"id":2, "text":"one two three four five six\nend"}' \
  '{"id":3,"text":"other\nend"}' > in.jsonl
for verb in document paragraph minhash; do
  lm-dedup $verb --action report --report r.json -z none in.jsonl | cmp - in.jsonl
  jq -c '.metrics | [.documents_marked, .duplicate_keys, .duplicates, .documents_dropped]' r.json
done
lm-dedup minhash --action report --cluster-info --table t.jsonl -z none in.jsonl | jq -c .metadata
jq -c '[.id, .kept]' t.jsonl
