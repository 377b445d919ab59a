cat > tok.json <<"EOF"
{"added_tokens":[{"id":7,"content":"<|endoftext|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5,"Ã":6,"©":8,"d":10},"merges":["a b","Ġ ab"]}}
EOF
: > empty.jsonl
lm-tokenize pack -m tok.json empty.jsonl -o e/x; echo "status $?"; ls e; jq -c '[.documents, .tokens, .shards]' e/x.json
lm-tokenize pack -m tok.json --seq-len 4 empty.jsonl -o r/x; echo "status $?"; ls r
printf '' | lm-tokenize pack -m tok.json -o p; echo "status $?"
printf '{"text":""}\n{"text":"a"}\n' | lm-tokenize pack -m tok.json --no-eos -o n; jq -c '[.documents, .tokens]' n.json
printf '{"text":""}\n{"text":"a"}\n' | lm-tokenize pack -m tok.json --no-eos --keep-empty -o k; jq -c '[.documents, .tokens]' k.json
lm-tokenize pack -m tok.json empty.jsonl; echo "status $?"
lm-tokenize pack -m tok.json --format jsonl empty.jsonl; echo "status $?"
lm-tokenize pack -m tok.json --seq-len 1 empty.jsonl -o x; echo "status $?"
printf '{"text":\n' | lm-tokenize pack -m tok.json -o broken/x; echo "status $?"; [ ! -e broken ]
