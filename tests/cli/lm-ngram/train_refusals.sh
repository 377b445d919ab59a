printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
lm-ngram train a.jsonl -o m.arpa; echo "status $?"
lm-ngram train --format lmng a.jsonl; echo "status $?"
lm-ngram train --prune 0,x a.jsonl; echo "status $?"
lm-ngram train --prune 1,0 a.jsonl; echo "status $?"
lm-ngram train -k 11 a.jsonl; echo "status $?"
lm-ngram train --discount-fallback=1,2 a.jsonl; echo "status $?"
lm-ngram train --discount-fallback=2,2,2 a.jsonl; echo "status $?"
lm-ngram train --ids-field ids --normalise ccnet a.jsonl; echo "status $?"
lm-ngram train --vocab-limit none.txt a.jsonl; echo "status $?"
echo '{"text":7}' | lm-ngram train -o m.arpa; echo "status $?"
echo '{"text":" \n "}' | lm-ngram train -o m.arpa; echo "status $?"
ls
