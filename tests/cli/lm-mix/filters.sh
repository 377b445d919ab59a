# Filters of other mixers on the command line.
printf '%s\n' '{"id":1,"text":"one","n":1,"attributes":{"a":[[0,3,1]]}}' '{"id":2,"text":"two","n":5,"attributes":{"a":[]}}' '{"id":3,"text":"three","attributes":{"a":[[0,1,0.5],[2,3,0]]}}' > in.jsonl
f() { lm-mix -z none --report r.json "$@" in.jsonl | jq -c .id | paste -sd ' '; jq -c '[.metrics.rules[] | [.name, .matched, .alone]]' r.json; }
f --include '$[?(@.n > 2)]' --include '$.attributes.a[1]'
f --exclude '$.attributes[?(@.a && @.a[0] && @.a[0][2] >= 1.0)]' --exclude 'big=$[?(@.n == 5)]'
f --syntax jq --include '.n' --exclude '(.attributes.a | length) > 1' --where 'n < 3'
f --syntax jq --exclude '.attributes.a[]?[2] | select(. == 0)'
lm-mix --include '$.a[' in.jsonl; echo "status $?"
lm-mix --syntax jq --exclude '.a |' in.jsonl; echo "status $?"
lm-mix --syntax jq --exclude '.id.x' in.jsonl; echo "status $?"
lm-mix --exclude '$.attributes[?(@.b)]' in.jsonl; echo "status $?"
lm-mix --exclude '$.attributes[?(@.b)]' --allow-missing b -z none in.jsonl | wc -l
lm-mix --min-text-length 4 --report-only in.jsonl | tail -5
# Threads change nothing.
for i in $(seq 1 30000); do echo "{\"id\":$i,\"text\":\"words and more words that fill batches of four mebibytes, document $i $(( i * i ))\",\"n\":$((i % 10)),\"m\":\"and a further field so that there are several of them\"}"; done > many.jsonl
for t in 1 2 7; do lm-mix -t $t -z none --syntax jq --include '.n < 4' --exclude '.n == 2' many.jsonl | cksum; done | uniq -c | wc -l
# A filter of endless values makes the record a bad one; one that never comes to a value ends with SIGTERM.
lm-mix --syntax jq --include 'repeat(1)' in.jsonl; echo "status $?"
lm-mix -t 1 --syntax jq --include 'last(repeat(1))' in.jsonl -o out.jsonl & pid=$!
until [ -n "$(ls -A | grep '^[.]out')" ] || ! kill -0 $pid; do sleep 0.05; done
kill -TERM $pid; wait $pid; echo "status $?"; ls -A | grep out.jsonl
