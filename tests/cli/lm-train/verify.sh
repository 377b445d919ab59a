printf '%s\n' '{"text":"a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h"}' > docs.jsonl
lm-tokenize train -q -n 257 --special-token '<|endoftext|>' docs.jsonl -o tok.json
mkdir good bad
lm-tokenize pack -m tok.json docs.jsonl -o good/data
cp good/* bad
# another id of the vocabulary: only the digest tells
printf '\x21' | dd of=bad/data-00000.bin bs=1 seek=4 conv=notrunc status=none
m='--arch gpt2 --layers 1 --width 8 --heads 2 --seq-len 4 --batch 2 --steps 1 -q'
lm-train $m -o run --data bad/data.json; echo "status $?"
lm-train $m -o run --data good/data.json --eval-data bad/data.json; echo "status $?"
lm-train $m -o run --data bad/data.json --no-verify; echo "status $?"
