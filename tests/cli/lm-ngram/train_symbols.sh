printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
echo '{"id":"x","text":"b <s> c"}' >> a.jsonl
lm-ngram train -k 2 --discount-fallback a.jsonl -o m.arpa; echo "status $?"
lm-ngram train -k 2 --discount-fallback --on-error skip a.jsonl -o m.arpa
lm-ngram train -k 2 --discount-fallback --skip-symbols a.jsonl | grep -c 'b c'
