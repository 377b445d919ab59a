cat > tok.json <<"EOF"
{"added_tokens":[{"id":7,"content":"<|endoftext|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5,"Ã":6,"©":8,"d":10},"merges":["a b","Ġ ab"]}}
EOF
printf '{"text":"ab c","input_ids":[4,2]}\n' > in.jsonl
try() { "$@" in.jsonl 2>&1; echo "status $?"; }
for option in '--mode bestfit' --overlap --drop-last; do try lm-tokenize pack -m tok.json $option -o x; done
try lm-tokenize pack -m tok.json --seq-len 4 --keep-empty -o x
for option in --overlap --drop-last; do try lm-tokenize pack -m tok.json --seq-len 4 --mode bestfit $option -o x; done
for option in '--shard-tokens 5' '--dtype u32'; do try lm-tokenize pack -m tok.json --seq-len 4 --format jsonl $option -z none; done
for option in --strip --no-template '--special text' '--field body'; do try lm-tokenize pack -m tok.json --from-ids $option -o x; done
try lm-tokenize -m tok.json --count --offsets -z none
for option in --byte-fallback '--normalization nfkc' '--sample-sentences 10'; do try lm-tokenize train $option -o x; done
for option in '--pattern none' '--weight-field w'; do try lm-tokenize train --type sp-bpe $option -o x; done
try lm-tokenize train --preset languini --byte-fallback -o x
try lm-tokenize train --preset languini --type sp-unigram -o x
ls
# What a settings file repeats is not asked for.
lm-tokenize pack -m tok.json -o x --print-config > c.toml; lm-tokenize pack --config c.toml in.jsonl; echo "status $?"; jq .tokens x.json
