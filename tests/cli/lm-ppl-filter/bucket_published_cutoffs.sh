printf 'percentile,en,de\n30,340,\n60,520,\n' > cutoff.csv
i=0; for s in 339.9 340 519.9 520 null; do echo "{\"id\":$((++i)),\"language\":\"en\",\"attributes\":{\"p\":$s}}"; done > in.jsonl
printf '%s\n' '{"id":6,"language":"fr","attributes":{"p":1}}' '{"id":7,"language":"de","attributes":{"p":1}}' '{"id":8,"attributes":{"p":1}}' >> in.jsonl
lm-ppl-filter bucket --from-attr p --group language --cutoffs cutoff.csv -z none in.jsonl | jq -c '[.id, .metadata.lm_ppl.bucket]'
lm-ppl-filter select --from-attr p --group language --cutoffs cutoff.csv --percentile 30,60 -z none in.jsonl | jq -c .id
