# An n-gram model generates by the same samplers and forms.
for i in $(seq 40); do printf '{"text":"the red cat sat on the mat\\nthe blue dog sat on the cat %d"}\n' $((i % 3)); done > corpus.jsonl
lm-ngram train -k 3 --discount-fallback -q corpus.jsonl -o model.bin
cat > in.jsonl <<'R'
{"id":"a","prompt":"the red cat","params":{"temperature":0}}
{"id":"b","prompt":"the","params":{"n":4}}
{"id":"c","prompt":"the","choices":["dog sat","mat","unheard of"],"params":{"n":20}}
{"id":"d","prompt":"the","regex":"(cat|dog)( [a-z]+){2}","params":{"n":20}}
R
run() { lm-decode --engine ngram:model.bin --max-tokens 8 "$@"; }
run -z none in.jsonl > out
jq -c 'select(.id == "a") | [.completions[0].text, .completions[0].finish_reason, .prompt_tokens]' out
jq -c 'select(.id == "b") | [.completions[].text] | length' out
jq -r 'select(.id == "c") | .completions[].text' out | sort -u
jq -r 'select(.id == "d") | .completions[].text' out | grep -cvE '^(cat|dog)( [a-z]+){2}$'
for how in '-t 1 --batch 1' '-t 7'; do run $how -z none in.jsonl | cmp - out && echo "same $how"; done
run --seed 1 -z none in.jsonl | cmp -s - out || echo "another seed, other texts"
run --stop ' on' --temperature 0 -z none in.jsonl | jq -c 'select(.id == "a") | .completions[0] | [.text, .finish_reason]'
head -n 2 out > old.jsonl; run -z none --resume old.jsonl in.jsonl | cmp - out && echo resumed
# a model over pieces, which remembers its tokenizer
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
lm-ngram train -k 5 --tokenizer m --discount-fallback -q corpus.jsonl -o pieces.lmng
printf '%s\n' '{"id":"a","prompt":"the red","params":{"temperature":0}}' '{"id":"b","prompt":"the","choices":[" dog sat"," cat","zebra"],"params":{"n":9}}' > pieces.jsonl
lm-decode --engine ngram:pieces.lmng --tokenizer m --max-tokens 20 -z none pieces.jsonl | jq -c '[.id, .prompt_tokens, ([.completions[].text] | unique[])]'
lm-decode --engine ngram:pieces.lmng pieces.jsonl; echo "status $?"
