printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
lm-ngram train -k 2 --discount-fallback --unit doc --normalise ccnet a.jsonl -o c.lmng
lm-ngram info c.lmng | jq -r .form
echo '{"text":"The CAT\nsat"}' | lm-ngram score -m c.lmng -z none | jq -c '.attributes | [.lm_ppl__c__tokens, .lm_ppl__c__oov]'
echo '{"text":"The CAT\nsat"}' | lm-ngram score -m c.lmng --unit line -z none | jq -c '.attributes | [.lm_ppl__c__tokens, .lm_ppl__c__oov]'
