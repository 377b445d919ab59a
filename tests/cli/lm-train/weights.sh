# Shares of data sets: a run starts, goes on where it was, and sees each set as often as its weight says.
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"text\":\""; for (j = 0; j < 12; ++j) printf "%d ", (i % 7 + j) % 10; print "\"}" } }' > digits.jsonl
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"text\":\""; for (j = 0; j < 12; ++j) printf "%c ", 97 + (i % 7 + j) % 10; print "\"}" } }' > letters.jsonl
lm-tokenize train -q -n 257 digits.jsonl -o tok.json
for name in digits letters; do lm-tokenize pack -q -m tok.json $name.jsonl -o $name; done
o='-q --arch gpt2 --layers 1 --width 16 --heads 2 --seq-len 8 --batch 8 --lr 1e-2 --schedule constant --warmup 0 --tokenizer tok.json'
loss() { lm-decode score -m $1/final -z none $2.jsonl | jq -s 'map(-.score.sum) | add'; }
for w in '9 1' '1 9'; do
  set -- $w
  lm-train $o --steps 40 --data digits.json --data letters.json --weight $1 --weight $2 -o run$1$2; echo "status $?"
  jq -nc --argjson d "$(loss run$1$2 digits)" --argjson l "$(loss run$1$2 letters)" '$d < $l'
done
o="$o --data digits.json --data letters.json --weight 2 --weight 1"
lm-train $o --steps 6 -o whole; lm-train $o --steps 3 -o half; lm-train $o --steps 6 --extend -o half
cmp whole/final/model.safetensors half/final/model.safetensors && echo same
jq -c '.data // .state.data | .by_set | [length, add]' whole/final/state/state.json
