printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
lm-ngram train -k 3 --discount-fallback a.jsonl -o m.lmng
printf '%s\n' '{"text":"the cat sat","n":1.50}' '{"text":"zebra"}' '{"text":""}' '{"text":"x","attributes":{"q":[]}}' |
  lm-ngram score -m m.lmng --name w -z none | jq -c '.attributes | with_entries(.value |= map(.[2] |= (. * 1e6 | round / 1e6)))'
printf '%s\n' '{"text":"h\u00e9 cat\nthe","n":1.50}' | lm-ngram score -m m.lmng --per-token -z none | jq -c '.attributes.lm_ppl__m__token_nll | map(.[0:2])'
