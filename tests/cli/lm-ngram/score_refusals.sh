printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
lm-ngram train -k 2 --discount-fallback a.jsonl -o m.lmng
lm-ngram score a.jsonl; echo "status $?"
lm-ngram score -m a.jsonl a.jsonl; echo "status $?"
lm-ngram score -m none.lmng a.jsonl; echo "status $?"
lm-ngram score -m m.lmng --normalise ccnet a.jsonl; echo "status $?"
lm-ngram score -m m.lmng --ids-field ids a.jsonl; echo "status $?"
lm-ngram score -m m.lmng --name a.b a.jsonl; echo "status $?"
lm-ngram score -m m.lmng --tokenizer a.jsonl a.jsonl; echo "status $?"
head -c 1000 m.lmng > cut.lmng; lm-ngram score -m cut.lmng a.jsonl; echo "status $?"
echo '{"text":"a","attributes":1}' | lm-ngram score -m m.lmng; echo "status $?"
lm-ngram train -k 2 --discount-fallback --normalise ccnet a.jsonl -o c.lmng
lm-ngram score -m c.lmng --per-token a.jsonl; echo "status $?"
