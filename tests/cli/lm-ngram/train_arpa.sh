printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
lm-ngram train -k 2 --discount-fallback a.jsonl | sed 's/\t0$//' | head -n 20
lm-ngram train -k 3 --discount-fallback a.jsonl -o m.arpa
for t in 1 2 7; do lm-ngram train -t $t -k 3 --discount-fallback < a.jsonl | cmp - m.arpa; done
lm-ngram train -k 3 --discount-fallback a.jsonl -o m.lmng
lm-ngram convert m.lmng | cmp - m.arpa
lm-ngram convert m.arpa -o n.lmng; lm-ngram convert n.lmng | cmp - m.arpa
lm-ngram info m.arpa m.lmng n.lmng | jq -c '[.file, .format, .order, .ngrams, .form]'
