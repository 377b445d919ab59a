printf '%s\n' '{"id":"a","text":"The quick brown fox jumps over the lazy dog, twice","source":"web"}' \
  '{"id":"b","text":"something else that nobody else has written down before","source":"web"}' \
  '{"id":"c","text":"the quick, brown fox jumps over the lazy dog twice!","source":"book"}' \
  '{"id":"d","text":"The quick brown fox jumps over the lazy dog twice ...","source":"book"}' > in.jsonl
for prefer in first longest shortest source=book; do
  for more in '' '--cluster leader' '--verify sketch' '--verify none'; do
    for run in '-t 1' '-t 7 --memory 1M'; do
      echo "$prefer: $(lm-dedup minhash --prefer $prefer --action remove $more $run -z none in.jsonl | jq -r .id | tr '\n' ' ')"
    done
  done | uniq
done
lm-dedup minhash --prefer source=book --cluster-info -z none in.jsonl | jq -c '[.id, .attributes.lm_dedup_minhash, .metadata.lm_dedup]'
lm-dedup minhash --prefer best in.jsonl -o out.jsonl; echo "status $?"
