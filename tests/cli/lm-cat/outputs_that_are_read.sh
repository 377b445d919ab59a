# An output is never a file that an option reads, and a model's files are read too.
tiny() { "$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model "$@"; }
try() { "$@"; echo "status $?"; }
tiny m && tiny m2 2
printf '%s\n' '{"id":"a","text":"the a","prompt":"the","input_ids":[1,2,3]}' > w.jsonl
echo w.jsonl > list
echo 'quiet = false' > c.toml
cp m/tokenizer.json tok.json
lm-ngram train -k 2 --discount-fallback w.jsonl -o m.lmng
lm-tokenize pack -m tok.json w.jsonl -o sh
md5sum list c.toml tok.json m.lmng sh.json m/* > before
try lm-cat --files-from list -o list
try lm-cat --config c.toml w.jsonl --report c.toml -o out
try lm-tokenize -m tok.json w.jsonl -o tok.json
try lm-ngram score -m m.lmng w.jsonl -o m.lmng
try lm-decode score -m m w.jsonl -o m/model.safetensors
try lm-decode -m m w.jsonl --report m/config.json -o out
try lm-merge --method linear m m2 -o merged --report m/model.safetensors
try lm-train --arch gpt2 --layers 1 --width 8 --heads 2 --seq-len 2 --batch 1 --steps 1 --data sh --metrics sh.json -o run
md5sum --quiet -c before && echo unchanged
