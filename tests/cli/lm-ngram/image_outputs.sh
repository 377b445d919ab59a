awk 'BEGIN { for (i = 0; i < 300; ++i) { printf "{\"text\":\""; for (j = 0; j < 9; ++j) printf "%sw%d", j ? " " : "", (i * j + i % 7 * j * j) % (40 + i % 5); print "\"}" } }' > docs.jsonl
train="lm-ngram train -k 4 --discount-fallback"
$train docs.jsonl -o m.lmng; $train docs.jsonl -o m.arpa
for m in 1M 8M 1G; do for t in 1 2 7; do $train --memory $m -t $t docs.jsonl -o n.lmng; cmp m.lmng n.lmng; done; done
$train --no-rename docs.jsonl -o n.lmng && cmp m.lmng n.lmng
mkfifo pipe; cat pipe > n.lmng & $train --format lmng docs.jsonl -o pipe; wait; cmp m.lmng n.lmng
lm-ngram convert --memory 1M m.lmng -o n.arpa && cmp m.arpa n.arpa
lm-ngram convert --memory 1M m.arpa -o a.lmng; lm-ngram convert a.lmng -o n.arpa && cmp m.arpa n.arpa
cat pipe > n.lmng & lm-ngram convert --format lmng m.arpa -o pipe; wait; cmp a.lmng n.lmng
lm-ngram score -m m.lmng -z none docs.jsonl > want; lm-ngram score -m m.arpa --memory 1M -z none --name m docs.jsonl | cmp want -
ls -A
