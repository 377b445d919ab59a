# The tokenizer that the manifest names is taken, where it is still the same; an explicit one wins
# and must agree.
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"text\":\""; for (j = 0; j < 12; ++j) printf "%d ", (i % 7 + j) % 10; print "\"}" } }' > docs.jsonl
lm-tokenize train -q -n 257 --special-token '<a>' docs.jsonl -o tok.json
lm-tokenize train -q -n 257 --special-token '<b>' docs.jsonl -o other.json
mkdir shards
lm-tokenize pack -q -m tok.json docs.jsonl -o shards/data
train() { lm-train --arch llama --layers 1 --width 8 --heads 2 --seq-len 4 --batch 2 --steps 1 --data shards/data.json "$@"; echo "status $?"; }
train -v -o here 2>&1 | grep tokenizer
cmp tok.json here/final/tokenizer.json && echo 'copied from the working folder'
mv tok.json shards/
train -o beside
cmp shards/tok.json beside/final/tokenizer.json && echo 'copied from beside the shards'
mv shards/tok.json given.json
train -v -o none 2>&1 | grep tokenizer
ls none/final
cp other.json tok.json
train -o not_the_same; ls not_the_same/final | grep -c tokenizer
train --tokenizer given.json -o given; cmp given.json given/final/tokenizer.json && echo 'the explicit one'
train --tokenizer other.json -o bad 2>&1 | sed -E 's/digest [0-9a-f]+/digest D/g'
# no output is that file
mv given.json tok.json
train --metrics tok.json -o over
