printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"id":2,"text":"a cat saw the dog"}' > wiki.jsonl
lm-ngram train -k 3 --discount-fallback wiki.jsonl -o wiki.lmng
lm-ngram train -k 2 --discount-fallback --normalise ccnet --unit doc wiki.jsonl -o cc.lmng
echo '{"text":"The CAT sat"}' > in.jsonl
lm-ppl-filter -m cc.lmng -z none in.jsonl | jq -c '.attributes.lm_ppl__cc__ppl[0][2] | . == (. * 10 | round / 10)'
lm-ppl-filter -m cc.lmng --ccnet -z none in.jsonl | jq -c '.attributes.lm_ppl__cc__ppl[0][2] | . == (. * 10 | round / 10)'
lm-ppl-filter -m wiki.lmng --ccnet in.jsonl; echo "status $?"
lm-ngram convert wiki.lmng -o wiki.arpa
lm-ppl-filter -m wiki.arpa --ccnet -z none in.jsonl | jq -c '.attributes.lm_ppl__wiki__oov'
