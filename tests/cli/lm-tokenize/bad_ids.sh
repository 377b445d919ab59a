cat > tok.json <<"EOF"
{"added_tokens":[{"id":7,"content":"<|endoftext|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5,"Ã":6,"©":8,"d":10},"merges":["a b","Ġ ab"]}}
EOF
for ids in 4 null '"4"' '[4.0]' '[1.5]' '[-1]' '[11]' '[9]' '[4294967300]' '[1e400]' '[[4]]' '[true]' '[4,]'; do
  printf '{"input_ids":%s}\n' "$ids" | lm-tokenize decode -m tok.json -z none; echo "status $?"
done 2>&1 | grep -v 'hint:'
printf '{"text":"a"}\n' | lm-tokenize decode -m tok.json -z none; echo "status $?"
printf '{"input_ids":[11]}\n' | lm-tokenize pack --from-ids -m tok.json -o out; echo "status $?"
ls
