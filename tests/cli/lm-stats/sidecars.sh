# Attributes of files beside the documents count as if they were in the records.
mkdir -p documents/a; for f in a/x y; do
  for i in 1 2 3; do printf '{"id":"%s%d","source":"s","text":"one two %d","attributes":{"own":[[0,3,%d]]}}\n' $f $i $i $i; done > documents/$f.jsonl
done
lm-tag -q -T char_length_v1 --sidecar tags documents/a/x.jsonl documents/y.jsonl
lm-tag -q -T char_length_v1 -z none documents/a/x.jsonl documents/y.jsonl > whole.jsonl
what=(--drop 'score("char_length_v1.length") < 0' --where 'own=has("own")' --top 'attributes.own' --group source)
lm-stats "${what[@]}" --json whole.jsonl | jq 'del(.totals.line_bytes, .totals.kept_line_bytes, .groups)' > want
for t in 1 2; do lm-stats -t $t "${what[@]}" --sidecar tags/char_length_v1 --json documents/a/x.jsonl documents/y.jsonl | jq 'del(.totals.line_bytes, .totals.kept_line_bytes, .groups)' | cmp - want && echo same; done
# Bytes of lines are those of the documents, as for lm-mix.
lm-stats "${what[@]}" --sidecar tags/char_length_v1 --json documents/y.jsonl | jq .totals.line_bytes; wc -c < documents/y.jsonl
lm-stats --sidecar tags/char_length_v1 --partial documents/a/x.jsonl documents/y.jsonl -o p.zst && lm-stats merge --json p.zst | jq -c '[.numbers[].name]'
s() { lm-stats "$@"; echo "status $?"; }
s --sidecar tags/char_length_v1 < documents/y.jsonl
s --sidecar tags/none documents/y.jsonl
s --sidecar tags/char_length_v1 --shard 0/2 documents/y.jsonl
s --attr-merge append documents/y.jsonl
sed -i 's/y2/y9/' documents/y.jsonl; s --sidecar tags/char_length_v1 documents/y.jsonl
head -n 1 documents/a/x.jsonl > x.new; mv x.new documents/a/x.jsonl; s --sidecar tags/char_length_v1 documents/a/x.jsonl
