printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
lm-ngram train -k 3 --discount-fallback a.jsonl -o m.lmng
lm-ngram convert m.lmng -o m.arpa
seq 3000 | awk '{ printf "{\"id\":%d,\"text\":\"the cat saw %d\\nthe log\"}\n", $1, $1 % 3 }' > many.jsonl
lm-ngram score -m m.lmng -z none many.jsonl > want
for t in 1 2 7; do lm-ngram score -t $t -m m.arpa -z none many.jsonl | cmp - want; done
wc -l < want
