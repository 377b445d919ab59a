cat > tok.json <<"EOF"
{"added_tokens":[{"id":7,"content":"<|endoftext|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5,"Ã":6,"©":8,"d":10},"merges":["a b","Ġ ab"]}}
EOF
for line in '{"id":"r"}' '{"text":null}' '{"text":7}' '{"text":"\ud800"}' '{"text":"a","text":"b"}' '{"text":"a"' '{"text":"a"} {"text":"b"}' \
  '["text"]' '{"text":"a",}' '{"text":"\q"}' $'{"text":"\xff"}' $'{"text":"a\tb"}'; do
  printf '%s\n' "$line" | lm-tokenize -m tok.json -z none; echo "status $?"
done 2>&1 | grep -v 'hint:'
printf '%s\n' '{"te\u0078t":"ab"}' '{"text":"\u0000"}' '' '{"text":"\ud83d\ude00"}' | lm-tokenize -m tok.json --count -z none
printf '%s\n' '{"text":"a"}' '{"text":7}' '{"text":null}' '{"text":"b"}' | lm-tokenize -m tok.json --on-error quarantine --rejects bad.jsonl -z none; cat bad.jsonl
