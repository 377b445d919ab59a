printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"id":2,"text":"a cat saw the dog"}' > wiki.jsonl
lm-ngram train -k 3 --discount-fallback wiki.jsonl -o wiki.lmng
printf '%s\n' '{"id":"a","text":"the cat sat","n":1.50}' '{"text":"","id":"b"}' '{"text":"h\u00e9","attributes":{"q":[[0,1,2]]},"id":"c"}' > in.jsonl
lm-ppl-filter -m wiki.lmng -z none in.jsonl > want; cut -c1-90 want
jq -c '[.id, .attributes.lm_ppl__wiki__tokens, .attributes.lm_ppl__wiki__oov]' want
for t in 1 2 7; do lm-ppl-filter score -t $t -m wiki.lmng -z none in.jsonl | cmp - want; done
lm-ngram score -m wiki.lmng -z none in.jsonl | jq -c 'del(.attributes.lm_ppl__wiki__ppl_no_end)' | cmp - <(jq -c . want)
