printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"id":2,"text":"a cat saw the dog"}' > wiki.jsonl
lm-ngram train -k 3 --discount-fallback wiki.jsonl -o wiki.lmng
echo '{"text":"zap zip zap"}' > junk.jsonl; lm-ngram train -k 3 --discount-fallback junk.jsonl -o junk.lmng
printf '%s\n' '{"id":"g","text":"the cat sat"}' '{"id":"b","text":"zap zip"}' '{"id":"e","text":""}' > in.jsonl
lm-ppl-filter --contrast wiki.lmng,junk.lmng -z none in.jsonl | jq -c '[.id, (.attributes.lm_ppl__wiki_junk__contrast | map(.[2] > 0))]'
lm-ppl-filter select --contrast wiki.lmng,junk.lmng --min 0 -z none in.jsonl | jq -r .id
