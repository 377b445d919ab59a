printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"text":"a cat saw the dog\n\n","id":2}' > a.jsonl
lm-ngram train -k 2 --discount-fallback a.jsonl -o m.arpa
lm-ngram convert; echo "status $?"
lm-ngram convert m.arpa m.arpa; echo "status $?"
lm-ngram convert m.arpa -o m.arpa; echo "status $?"
lm-ngram convert a.jsonl -o x.lmng; echo "status $?"
lm-ngram convert --unit doc m.arpa -o x.arpa; echo "status $?"
head -n 8 m.arpa > cut.arpa; lm-ngram convert cut.arpa -o x.lmng; echo "status $?"
lm-ngram convert --unit doc m.arpa -o x.lmng; lm-ngram info x.lmng | jq -r .form
lm-ngram info; echo "status $?"
ls
