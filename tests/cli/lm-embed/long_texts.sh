helpers=$(dirname "$(command -v lm-embed)")/helpers
"$helpers/make-tiny-encoder" e
printf '%s\n' '{"text":"a b c d e f g h i j"}' '{"text":"a b c d"}' '{"text":"a b"}' > in.jsonl
lm-embed -m e --max-tokens 6 --report r.json -z none in.jsonl -o cut.jsonl
jq -c .metrics.long_texts r.json
jq -c .embedding cut.jsonl | head -n 2 | sort -u | wc -l
lm-embed -v -m e --max-tokens 6 --long windows --report r.json -z none in.jsonl -o w.jsonl 2>&1 | grep windows
jq -c .metrics.long_texts r.json
jq -c .embedding w.jsonl | head -n 2 | sort -u | wc -l
jq -c .embedding w.jsonl cut.jsonl | sort -u | wc -l
lm-embed -q -m e --max-tokens 6 -z none in.jsonl | cmp - cut.jsonl && echo quiet
