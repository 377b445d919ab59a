# What must not be mixed or overwritten.
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"text\":\""; for (j = 0; j < 12; ++j) printf "%d ", (i % 7 + j) % 10; print "\"}" } }' > docs.jsonl
lm-tokenize train -n 257 --special-token '<a>' docs.jsonl -o tok.json
lm-tokenize train -n 257 --special-token '<b>' docs.jsonl -o other.json
lm-tokenize pack -m tok.json docs.jsonl -o data
lm-tokenize pack -m other.json docs.jsonl -o held
lm-tokenize -m tok.json docs.jsonl -z none -o ids.jsonl
cp ids.jsonl copy.jsonl
m='--arch gpt2 --layers 1 --width 8 --heads 2 --seq-len 4 --batch 2 --steps 2'
try() { lm-train "$@"; echo "status $?"; }
try $m --data data.json --eval-data held.json -o run
try $m --vocab 257 --metrics ids.jsonl -o run ids.jsonl
cmp ids.jsonl copy.jsonl
try $m --tokenizer other.json -o small copy.jsonl
try --init-from small/final --seq-len 4 --data data.json --steps 1 -o run 2> err; sed -E 's/digest [0-9a-f]+/digest D/g' err
: > empty
try $m --vocab 257 -o none empty
head -c 30 small/final/model.safetensors > cut && cp -rL small/final hurt && cp cut hurt/model.safetensors
try --init-from hurt --seq-len 4 --steps 1 -o run ids.jsonl
try $m --tokenizer other.json --vocab 257 --resume hurt -o run copy.jsonl
sed -i 's/"model_type": "gpt2"/"model_type": "mamba"/' hurt/config.json
try --init-from hurt --seq-len 4 --steps 1 -o run ids.jsonl
# The pipe of --metrics - closed: no model, so no success.
mkfifo pipe
true < pipe & reader=$!
exec 7> pipe
wait $reader
lm-train $m --vocab 257 --metrics - -o closed ids.jsonl >&7; echo "status $?"
exec 7>&-
lm-train -q $m --vocab 257 --steps 9999 -o locked pipe & pid=$!
exec 7> pipe
until [ -e locked/.lock ] && grep -q ":$(stat -c %i locked/.lock) " /proc/locks; do sleep 0.05; done
try $m --vocab 257 -o locked ids.jsonl
cat ids.jsonl >&7
exec 7>&-
wait $pid; echo "status $?"
