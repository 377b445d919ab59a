cat > tok.json <<"EOF"
{"added_tokens":[{"id":7,"content":"<|endoftext|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5,"Ã":6,"©":8,"d":10},"merges":["a b","Ġ ab"]}}
EOF
printf '%s\n' '{"text":"abcabcab"}' '{"text":"c"}' '{"text":"abab"}' '{"text":"cc"}' > in.jsonl
for options in '' --drop-last --overlap '--mode bestfit' '--mode bos-bestfit --bos-token d' '--no-eos'; do
  for t in 1 2 7; do lm-tokenize pack -q -m tok.json --seq-len 4 $options --format jsonl -z none -t $t in.jsonl > out.$t; done
  cmp out.1 out.2 && cmp out.1 out.7; echo "[$options]"; cat out.1
done
lm-tokenize pack -m tok.json --seq-len 4 --mode bos-bestfit --format jsonl in.jsonl; echo "status $?"
lm-tokenize pack -m tok.json --seq-len 4 in.jsonl -o rows; od -An -v -tu2 -w8 rows-00000.bin
