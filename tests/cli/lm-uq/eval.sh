awk 'BEGIN { split("1 0 1 0 1 0", q, " "); split("0.1 0.5 0.5 0.5 0.2 0.9", u, " "); for (i = 1; i <= 6; ++i) printf "{\"id\":%d,\"correct\":%d,\"uq\":{\"scores\":{\"label_prob\":%s,\"mine\":%d},\"samples\":10}}\n", i, q[i], u[i], i % 2 }' > s.jsonl
lm-uq eval --boot 0 --bins 5 --metrics auroc,prr,ap_ratio,aurc,ece,brier,brier_iso_in s.jsonl
lm-uq eval --boot 20 --metrics auroc -e label_prob,mine --differences s.jsonl | sed 's/\[.*\]/[..]/'
echo 'one JSON object, on the terminal and in the report'
lm-uq eval --boot 0 --format json --metrics auroc -e mine s.jsonl --report r.json | tee out.json
jq -c .metrics.evaluation r.json | cmp - <(jq -c . out.json)
echo 'answers are judged by references'
printf '%s\n' '{"id":1,"refs":["Rome"],"greedy":{"text":"the rome"},"uq":{"scores":{"msp":1}}}' \
  '{"id":2,"refs":["x","12"],"samples":["it is 12"],"uq":{"scores":{"msp":2}}}' > refs.jsonl
for how in exact contains f1 numeric; do lm-uq eval --boot 0 --correct $how --format json refs.jsonl | jq -c '[.accuracy, .mean_quality]'; done
echo 'temperatures'
for t in 0.7 1 1.4; do for i in 1 2 3 4; do echo "{\"id\":$i,\"temperature\":$t,\"correct\":$((i % 2)),\"uq\":{\"scores\":{\"msp\":$(awk "BEGIN { print $t * $i }")}}}"; done > t$t.jsonl; done
lm-uq eval --boot 0 --metrics auroc,tsu t1.4.jsonl t0.7.jsonl t1.jsonl
lm-uq eval --boot 0 --temperatures 0.7,1.4 --at 1 --format json t0.7.jsonl t1.jsonl t1.4.jsonl | jq -c '[.temperature, .temperatures, .tsu[0].percent, .tsu[0].chance_percent]'
