# A folder instead of a manifest: taken where it holds one set, else its sets are named.
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"text\":\""; for (j = 0; j < 12; ++j) printf "%d ", (i % 7 + j) % 10; print "\"}" } }' > docs.jsonl
lm-tokenize train -n 257 docs.jsonl -o tok.json
mkdir shards none two
lm-tokenize pack -m tok.json docs.jsonl -o shards/train
for name in a b; do lm-tokenize pack -m tok.json docs.jsonl -o two/$name; done
cp tok.json shards
echo '{"format":3}' > shards/other.json
m='--arch gpt2 --layers 1 --width 8 --heads 2 --seq-len 4 --batch 2 --steps 2'
try() { lm-train $m "$@"; echo "status $?"; }
try --data shards --eval-data shards/ -o run
try --data shards/train -o run
try --data shards/train.json -o run
try --data none -o other
try --data two -o other
try --data two/b -o other --eval-data two
