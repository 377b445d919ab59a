# sample notes model and layer of the states, and what is fitted to them is of no use for others'.
bin=$(dirname "$(command -v lm-uq)")
"$bin"/helpers/make-tiny-model m 1 262 128
"$bin"/helpers/make-tiny-model other 2 262 128
for i in $(seq 12); do printf '{"id":%d,"prompt":"item %d","correct":%d}\n' $i $((i * 7)) $((i % 3 > 0)); done > q.jsonl
ask() { lm-uq sample -z none -n 1 --max-tokens 4 "$@" q.jsonl; }
ask -m m --emb 1 > one.jsonl
ask -m m --emb last > last.jsonl
ask -m other --emb 1 > other.jsonl
jq -c '.emb.layer' one.jsonl last.jsonl | uniq -c | tr -s ' '
ids() { sed 's/xxh3:[0-9a-f]*/ID/g'; }
lm-uq fit -q -o one.st one.jsonl; echo "status $?"
lm-uq -z none --fitted one.st -e p_ik one.jsonl | jq -s 'map(.uq.scores.p_ik) | length'
for f in last other; do
  lm-uq -z none --on-error fail --fitted one.st $f.jsonl 2>&1 >out | ids; wc -l < out
  head -n 6 one.jsonl > mixed.jsonl; tail -n 6 $f.jsonl >> mixed.jsonl
  lm-uq fit -o mixed.st mixed.jsonl 2>&1 | ids
done
jq -c '{id, text: (.prompt + .greedy.text)}' one.jsonl |
  lm-embed -m m --layer 1 --pool last --no-normalize --whiten-fit known.st -o /dev/null
lm-uq -z none --reference known.st -e mahalanobis one.jsonl | jq -s 'map(.uq.scores.mahalanobis) | length'
for f in last other; do
  lm-uq -z none --on-error fail --reference known.st $f.jsonl 2>&1 >out | ids; wc -l < out
done
lm-uq fit -q -o last.st last.jsonl
lm-uq --reference known.st --fitted last.st one.jsonl; echo "status $?"
