printf '%s\n' '{"id":"a","text":"T ","source":"x","created":"2020-05-01T00:00:00.000Z","attributes":{"q":[[0,2,0.5]]}}' \
  '{"id":"b","text":"t.","source":"y","created":"2021-01-01","attributes":{"q":[[0, 2, 0.25]]}}' \
  '{"id":"c","text":"T...","source":"x","created":"2020-12-31T23:30:00-01:00","attributes":{"q":[]}}' \
  '{"id":"d","text":"u"}' '{"id":"e","text":"t","created":null}' > in.jsonl
for prefer in first longest shortest newest:created oldest:created source=y source=y,x attr:q:desc attr:q:asc; do
  for run in '-t 1' '-t 7 --memory 100K'; do
    echo "$prefer: $(lm-dedup --normalise slimpajama --prefer $prefer --action remove $run -z none in.jsonl | jq -r .id | tr '\n' ' ')"
  done | uniq
done
lm-dedup --key source --on-missing keep --prefer longest -z none in.jsonl | jq -c '[.id, .attributes.lm_dedup_document]'
for bad in best newest: attr:q attr::desc 'newest:source'; do lm-dedup --prefer "$bad" in.jsonl -o out.jsonl; echo "status $?"; done
lm-dedup --prefer longest --bloom-n 10 in.jsonl -o out.jsonl; echo "status $?"
echo '{"text":"a","attributes":{"q":[1]}}' | lm-dedup --prefer attr:q:asc -z none; echo "status $?"
ls
