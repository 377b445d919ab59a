cat > tok.json <<"EOF"
{"added_tokens":[{"id":7,"content":"<|endoftext|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5,"Ã":6,"©":8,"d":10},"merges":["a b","Ġ ab"]}}
EOF
printf '%s\n' '{"id":1,  "text":"ab cab","n":1.50}' '{"text":""}' '{"text":"a\u00e9b<|endoftext|>"}' '{"text":" \n ab "}' > in.jsonl
for options in '' --n-tokens --count --offsets '--drop-text --ids-field ids' '--eos --offsets' '--bos --bos-token a' '--special text' '--strip --offsets' '--field id --on-error skip'; do
  echo "[$options]"; lm-tokenize -m tok.json $options -z none in.jsonl
done
lm-tokenize -m tok.json --special error -z none in.jsonl
