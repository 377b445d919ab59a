# Attribute files beside the documents. D-01: rows that are too few, too many or another record's end
# the run; nothing passes unfiltered.
mkdir -p documents/p attributes/e/p attributes/f/p
printf '%s\n' '{"id":"a","text":"one"}' '' '{"id":2,"text":"two","attributes":{"x":[[0,1,5]],"k":[]}}' '{"id":"c","text":"three","n":1.50}' > documents/p/x.jsonl
printf '%s\n' '{"id":"d","text":"four"}' > documents/p/y.jsonl
printf '%s\n' '{"id":"a","attributes":{"x":[[0,3,1]]}}' '{"id":2,"attributes":{"x":[[0,3,2]]}}' '' '{"id":"\u0063","attributes":{"x":[]}}' > attributes/e/p/x.jsonl
printf '%s\n' '{"id":"d","attributes":{"x":[[0,1,9]]}}' > attributes/e/p/y.jsonl
s() { lm-mix -z none "$@"; echo "status $?"; }
s --sidecar attributes/e documents/p/*.jsonl
s --sidecar attributes/e --attr-merge append --where 'count("x") > 1' documents/p/x.jsonl
s --sidecar attributes/e --attr-merge error --on-error skip documents/p/x.jsonl
s --sidecar attributes/e --where 'score("x") >= 2' --discard attributes documents/p/y.jsonl documents/p/x.jsonl
sed 's/"x"/"z"/' attributes/e/p/x.jsonl | zstd -q > attributes/f/p/x.jsonl
s --sidecar attributes/e --sidecar attributes/f --drop 'sum("x") + sum("z") > 2' documents/p/x.jsonl
# Short, long, of another record, missing, no rows at all.
f() { lm-mix --sidecar attributes/f documents/p/x.jsonl documents/p/y.jsonl -o out.jsonl; echo "status $?"; [ ! -e out.jsonl ] || echo "there is an output"; }
cp attributes/e/p/y.jsonl attributes/f/p/
head -2 attributes/e/p/x.jsonl > attributes/f/p/x.jsonl; f
{ cat attributes/e/p/x.jsonl; echo '{"id":"e","attributes":{}}'; } > attributes/f/p/x.jsonl; f
sed '2s/2/3/' attributes/e/p/x.jsonl > attributes/f/p/x.jsonl; f
sed '1s/.*/{"id":"a","attributes":{"x":1/' attributes/e/p/x.jsonl > attributes/f/p/x.jsonl; f
sed '1s/.*/{"id":"a"}/' attributes/e/p/x.jsonl > attributes/f/p/x.jsonl; f
sed '2s/.*/{"attributes":{}}/' attributes/e/p/x.jsonl > attributes/f/p/x.jsonl; f
cp attributes/e/p/x.jsonl attributes/f/p/x.jsonl; cat attributes/e/p/y.jsonl >> attributes/f/p/y.jsonl; f
zstd -qc attributes/e/p/y.jsonl | head -c -4 > attributes/f/p/y.jsonl; f
: > attributes/f/p/y.jsonl; f
rm attributes/f/p/y.jsonl; f
s --sidecar attributes/e < documents/p/x.jsonl
s --sidecar attributes/e --shard 0/2 documents/p/x.jsonl
lm-mix --sidecar attributes/e documents/p/x.jsonl -o attributes/e/p/x.jsonl; echo "status $?"
# A bad record has its row, too.
{ echo '{"id":"bad"'; cat documents/p/x.jsonl; } > documents/p/z.jsonl; { echo '{"id":"bad","attributes":{}}'; cat attributes/e/p/x.jsonl; } > attributes/e/p/z.jsonl
s --sidecar attributes/e --on-error quarantine --rejects r.jsonl --where 'score("x") == 1' documents/p/z.jsonl; cat r.jsonl
# Several batches, any threads.
for i in $(seq 1 30000); do echo "{\"id\":$i,\"text\":\"words and more words that fill batches of four mebibytes, document $i $(( i * i ))\",\"m\":\"and a further field so that there are several of them, all of them in order\"}"; done > documents/p/w.jsonl
jq -c '{id, attributes: {x: [[0, 1, .id]]}}' documents/p/w.jsonl > attributes/e/p/w.jsonl
lm-mix --sidecar attributes/e --where 'score("x") == id' -t 1 -z none documents/p/w.jsonl > want; wc -l < want
for threads in 2 7; do lm-mix --sidecar attributes/e --where 'score("x") == id' -t $threads -z none documents/p/w.jsonl | cmp - want; done
