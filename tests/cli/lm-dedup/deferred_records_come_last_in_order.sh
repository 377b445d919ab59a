seq 20000 | awk '{ printf "{\"text\":\"%d\"}\n", $1 % 15000 }' > in.jsonl
lm-dedup --memory 100K --action remove -z none --report r.json in.jsonl | jq -r .text | cksum
seq 20000 | awk '{ print $1 % 15000 }' | awk '!seen[$0]++' | cksum
jq -c '[.metrics.documents_dropped, .metrics.deferred_keys > 0]' r.json
