# A record of more words than --memory has room for is refused with what would do.
awk 'BEGIN { printf "{\"text\":\""; for (i = 0; i < 400000; ++i) printf "word "; print "\"}" }' > long.jsonl
lm-transform noise --noise typo --memory 16M -z none long.jsonl
echo "status $?"
lm-transform noise --noise typo -z none long.jsonl | jq -c '.noise | length > 1000'
