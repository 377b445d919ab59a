cat > tok.json <<"EOF"
{"added_tokens":[{"id":7,"content":"<|endoftext|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5,"Ã":6,"©":8,"d":10},"merges":["a b","Ġ ab"]}}
EOF
for i in 1 2 3; do echo '{"text":"ab c"}'; done > in.jsonl
lm-tokenize pack -m tok.json --shard-tokens 4 in.jsonl -o s/x; ls s; echo kept > s/x-notes
head -1 in.jsonl | lm-tokenize pack -m tok.json --format npy -o s/x; ls s; jq -c '[.shards[].file]' s/x.json
# A failure leaves the older set whole; another program's file is not replaced.
echo '{"text":7}' | lm-tokenize pack -m tok.json -o s/x; echo "status $?"; ls s
echo '{"model":1}' > s/config.json; lm-tokenize pack -m tok.json in.jsonl -o s/config; echo "status $?"; cat s/config.json; ls s
