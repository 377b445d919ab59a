for s in 1 2 3 4 5 6 7 8 9 10; do echo "{\"id\":$s,\"lang\":\"x\",\"metadata\":{\"u\":1},\"attributes\":{\"q\":$s}}"; done > in.jsonl
echo '{"id":11,"lang":"y"}' >> in.jsonl
lm-ppl-filter bucket --from-attr q --cutoffs-out cut.csv -z none in.jsonl > out.jsonl; jq -c '[.id, .metadata]' out.jsonl
sed -n '1p;2p;32p;62p;102p' cut.csv
lm-ppl-filter bucket --from-attr q --cutoffs cut.csv -z none in.jsonl | cmp - out.jsonl
lm-ppl-filter cutoffs --from-attr q in.jsonl -o again.csv; cmp cut.csv again.csv
lm-ppl-filter bucket -q --from-attr q --buckets low:50,high:100 --split-output 'b-%s.jsonl' in.jsonl; wc -l b-*; jq -c .id b-unscored.jsonl
