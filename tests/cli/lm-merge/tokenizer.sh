# Vocabularies merged by token: what the output's tokenizer has, that it loads, and what is refused.
printf '{"text":"a b c d e f g h i j"}\n' > docs.jsonl
o='-q --seq-len 8 --batch 2 --steps 1 --data data.json --tokenizer tok.json'
model() { # NAME SPECIALS...: a model with a tokenizer of bytes and these
  local name=$1 n=$((256 + $# - 1)) special=()
  shift
  for word; do special+=(--special-token "$word"); done
  lm-tokenize train -q -n $n "${special[@]}" docs.jsonl -o tok.json 2>/dev/null
  lm-tokenize pack -q -m tok.json docs.jsonl -o data
  lm-train $o --arch llama --layers 1 --width 16 --heads 2 -o run; cp -rL run/final $name; rm -r run
}
model a '<|endoftext|>' '<|one|>'
model b '<|two|>' '<|endoftext|>'
rows() { jq -c .vocab_size $1/config.json; jq -c '[.added_tokens[] | [.id, .content]]' $1/tokenizer.json; }
lm-merge --method linear a b -o m; echo "status $?"; rows m; rm -r m
lm-merge --method linear --tokenizer union a b -o m; echo "status $?"; rows m
echo '{"prompt":"a b<|two|>"}' | lm-decode -m m --greedy --max-tokens 2 -z none > out; echo "status $? $(wc -l < out)"
lm-merge --method linear --tokenizer union --pad-vocab 64 a b -o m; echo "status $?"; rows m
lm-merge --method linear --tokenizer b a b -o m; echo "status $?"; rows m
# the same model twice is that model, by token too
lm-merge --method linear --tokenizer base a a -o m && lm-merge diff a m
lm-merge --method linear --tokenizer union a b -o m1 --threads 1; lm-merge --method linear --tokenizer union a b -o m2 --threads 3 --tile 4K
diff -r m1 m2 && echo equal
rm b/tokenizer.json
lm-merge --method linear --tokenizer union a b -o out; echo "status $?"
lm-merge --method linear --pad-vocab 8 a b -o out; echo "status $?"
