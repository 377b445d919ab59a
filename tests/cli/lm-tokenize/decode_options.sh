cat > tok.json <<"EOF"
{"added_tokens":[{"id":7,"content":"<|endoftext|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5,"Ã":6,"©":8,"d":10},"merges":["a b","Ġ ab"]}}
EOF
printf '%s\n' '{"input_ids":[4,5,7]}' '{"input_ids":[],"text":"old"}' '{"x":{"ids":[6]},"input_ids":[6,8]}' > in.jsonl
lm-tokenize decode -m tok.json -z none in.jsonl; echo
lm-tokenize decode -m tok.json --skip-specials --drop-ids --field out -z none in.jsonl; echo
printf '{"x":{"ids":[6]}}\n' | lm-tokenize decode -m tok.json --ids-field x.ids -z none
