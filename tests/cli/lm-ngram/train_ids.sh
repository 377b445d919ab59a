printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
printf '%s\n' '{"ids":[5,6,7]}' '{"ids":[5,6,8]}' '{"ids":[]}' > ids.jsonl
lm-ngram train -k 2 --discount-fallback --ids-field ids ids.jsonl -o m.lmng
lm-ngram info m.lmng | jq -c '[.ngrams, .form]'
lm-ngram score -m m.lmng --ids-field ids -z none ids.jsonl | jq -c '[.attributes.lm_ppl__m__tokens, .attributes.lm_ppl__m__oov, .attributes.lm_ppl__m__bpb]'
lm-ngram score -m m.lmng a.jsonl; echo "status $?"
echo '{"ids":[-1]}' | lm-ngram score -m m.lmng --ids-field ids; echo "status $?"
