printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
lm-ngram train -k 2 --prune 0,1 --discount-fallback=0.5,1,1.5 --report r.json a.jsonl -o m.lmng
jq -c '.metrics | [.sentences, .words, .orders[1]]' r.json
