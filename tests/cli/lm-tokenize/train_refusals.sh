printf '{"text":"a b","w":2}\n' > in.jsonl
lm-tokenize train -n 10 in.jsonl -o no; echo "status $?"
lm-tokenize train --special-token '<x>' --special-token '<x>' in.jsonl -o no; echo "status $?"
lm-tokenize train --ties never in.jsonl -o no; echo "status $?"
lm-tokenize train --vocab-sise 300 in.jsonl -o no; echo "status $?"
printf '{"text":"a","w":0}\n' | lm-tokenize train --weight-field w -o no; echo "status $?"
printf '{"text":"a","w":1.5}\n' | lm-tokenize train --weight-field w -o no; echo "status $?"
printf '{"text":""}\n' | lm-tokenize train -o no; echo "status $?"
printf '' > empty.jsonl; lm-tokenize train empty.jsonl -o no; echo "status $?"
lm-tokenize train --type sp-unigram -n 1000 in.jsonl -o no 2>&1 | grep -o "SentencePiece training failed"; echo "status $?"
ls
