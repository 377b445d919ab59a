cat > tok.json <<"EOF"
{"added_tokens":[{"id":7,"content":"<|endoftext|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5,"Ã":6,"©":8,"d":10},"merges":["a b","Ġ ab"]}}
EOF
mkdir m; cp tok.json m/tokenizer.json; echo '{"eos_token":null}' > m/tokenizer_config.json
printf '{"text":"ab"}\n' > in.jsonl
lm-tokenize -m tok.json --eos -z none in.jsonl
lm-tokenize -m m --eos -z none in.jsonl; echo "status $?"
lm-tokenize -m m --eos --eos-token c -z none in.jsonl
lm-tokenize -m m --eos --eos-token '<none>' -z none in.jsonl; echo "status $?"
lm-tokenize -m tok.json --bos -z none in.jsonl; echo "status $?"
lm-tokenize pack -m tok.json in.jsonl -o with; jq -c '[.bos_id, .eos_id, .eos_added]' with.json
lm-tokenize pack -m tok.json --no-eos in.jsonl -o without; jq -c '[.bos_id, .eos_id, .eos_added]' without.json
lm-tokenize pack -m m in.jsonl -o none; jq -c '[.bos_id, .eos_id, .eos_added]' none.json
