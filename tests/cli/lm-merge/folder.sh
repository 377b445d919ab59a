# What the folder holds; it loads; equal inputs in other places give equal bytes; nothing else is
# replaced; a merge that cannot be leaves nothing.
seq 1 100 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
printf '{"text":"a b c d e f g h i j"}\n' > docs.jsonl
lm-tokenize train -q -n 262 --special-token '<|endoftext|>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize pack -q -m tok.json docs.jsonl -o data
o='-q --seq-len 8 --batch 2 --schedule constant --warmup 0 --lr 0.01 --data data.json --tokenizer tok.json'
lm-train $o --arch llama --layers 2 --width 32 --heads 2 --steps 1 -o run; cp -rL run/final a
lm-train $o --init-from a --steps 2 -o run2; cp -rL run2/final b
lm-merge --method linear a b:3 --out-dtype bf16 -o m --report r.json; echo "status $?"
ls m
jq -c '[.tool, .method, .models[].name, .base, .seed, .tensors, .notes]' m/merge.json
jq -c '[.torch_dtype // .dtype, .num_hidden_layers, .model_type]' m/config.json; grep -c float32 m/config.json
jq -c '[.metrics.tensors, .metrics.bytes_in > .metrics.bytes_out]' r.json
echo '{"prompt":"a b"}' | lm-decode -m m --greedy --max-tokens 3 -z none > out; echo "status $? $(wc -l < out)"
mkdir elsewhere && cp -r a b elsewhere
lm-merge --method linear elsewhere/a elsewhere/b:3 --out-dtype bf16 -o m2
diff -r m m2 && echo equal
lm-merge --method linear a:1 b:0 -o copy && cmp a/model.safetensors <(cat a/model.safetensors) && lm-merge diff a copy
# replaced: an older model; refused: other things, an input
lm-merge --method linear a b -o m; echo "status $?"
mkdir notes && echo mine > notes/todo.txt
lm-merge --method linear a b -o notes; echo "status $?"
# a model's folder that holds more is not emptied, and a link leads on
cp -r m more && echo mine > more/README.md
lm-merge --method linear a b -o more; echo "status $?"; cat more/README.md
ln -s m link && lm-merge --method linear a b:3 --out-dtype bf16 -o link; echo "status $?"
test -L link && diff -r m m2 && echo equal
lm-merge --method linear a b -o a; echo "status $?"
lm-merge --method linear a b -o ./b/; echo "status $?"
ls notes
lm-merge --method linear a b; echo "status $?"
lm-merge diff a a; echo "status $?"
lm-merge diff a m > table; echo "status $?"; head -n 1 table; tail -n 1 table | cut -d';' -f1
lm-merge diff a none; echo "status $?"
lm-merge diff a; echo "status $?"
ls -A
