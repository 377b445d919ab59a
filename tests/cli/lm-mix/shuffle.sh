# D-23: all records change places, not files; neither threads nor memory nor the cut into files
# shape the order.
for i in $(seq 1 30000); do echo "{\"id\":$i,\"text\":\"some words of document $i\"}"; done > in.jsonl
head -100 in.jsonl > a.jsonl; tail -n +101 in.jsonl > b.jsonl
lm-mix --shuffle -z none in.jsonl > want.jsonl
sort want.jsonl | cmp - <(sort in.jsonl)
jq -s 'map(.id) as $ids | [range(1; length)] | map(select($ids[.] == $ids[. - 1] + 1)) | length' want.jsonl
head -3 want.jsonl
for threads in 1 2 7; do lm-mix --shuffle -t $threads -z none in.jsonl | cmp - want.jsonl; done
lm-mix --shuffle --memory 1M --report r.json -z none in.jsonl | cmp - want.jsonl; jq '.metrics.spilled_bytes > 1e6' r.json
cat in.jsonl | lm-mix --shuffle -z none | cmp - want.jsonl
lm-mix --shuffle -z none a.jsonl b.jsonl | cmp - want.jsonl
lm-mix --shuffle --seed 1 -z none in.jsonl | cmp -s - want.jsonl; echo "another seed $?"
lm-mix --shuffle --sample 2 -z none a.jsonl | jq -c '.metadata.lm_mix.copy' | sort | uniq -c | tr -s ' '
lm-mix --shuffle -q in.jsonl -o out.jsonl.zst; lm-cat --check=full out.jsonl.zst; zstd -dcq out.jsonl.zst | cmp - want.jsonl
lm-mix --shuffle --tmp-dir nowhere --memory 1M in.jsonl -o no.jsonl; echo "status $?"; [ ! -e no.jsonl ]
