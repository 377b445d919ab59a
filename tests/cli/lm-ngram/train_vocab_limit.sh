printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
printf 'the cat\nsat\n' > words
lm-ngram train -k 2 --discount-fallback --vocab-limit words a.jsonl -o m.lmng
lm-ngram convert m.lmng | awk '/1-grams/ { on = 1; next } /^$/ { on = 0 } on { print $2 }'
