cat > tok.json <<"EOF"
{"added_tokens":[{"id":7,"content":"<|endoftext|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5,"Ã":6,"©":8,"d":10},"merges":["a b","Ġ ab"]}}
EOF
# Fields are added inside objects only; two fields of one record stand side by side.
for line in '{"text":"ab","x":null}' '{"text":"ab","x":{"y":null}}' '{"text":"ab","x":{"y":{"z":1}}}' '{"text":"ab","x":"s"}' '{"text":"ab","x":{"y":[]}}'; do
  printf '%s\n' "$line" | lm-tokenize -m tok.json --ids-field x.y.ids --n-tokens -z none; echo "status $?"
done 2>&1 | grep -v 'hint:'
printf '{"input_ids":[0],"t":5}\n' | lm-tokenize decode -m tok.json --field t.text -z none; echo "status $?"
for options in 'encode --ids-field text' 'encode --ids-field text.ids' 'encode --n-tokens --ids-field n_tokens.ids' 'decode --field input_ids.text'; do
  printf '{}\n' | lm-tokenize $options -m tok.json; echo "status $?"
done
printf '{"text":"ab"}\n' | lm-tokenize -m tok.json --ids-field offsets -z none
