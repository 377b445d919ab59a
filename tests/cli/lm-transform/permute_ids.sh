# Token ids change places without being made anew; special tokens stay.
lm-tokenize train -q -n 300 --special-token '<|endoftext|>' - -o tok/ <<"END"
{"text":"Alice is the mother of Bob. Bob is the son of Alice. the the mother mother"}
END
echo '{"id":1,"text":"Alice is the mother of Bob. He is not."}' | lm-tokenize -m tok --eos -o ids.jsonl
lm-transform --level token -m tok --permute chunk-reverse ids.jsonl -o turned.jsonl
lm-tokenize decode -m tok --field said -z none turned.jsonl | jq -c '[.said, .permute.level]'
lm-transform --level token --inverse -z none turned.jsonl | cmp - ids.jsonl
# The same order of the text, made anew, has the pieces that text has.
lm-transform -m tok --permute chunk-reverse --no-meta ids.jsonl | lm-tokenize -m tok --eos -z none | jq -c .text
lm-transform --level token ids.jsonl
echo "status $?"
lm-transform --level token -m tok --chunks-field c ids.jsonl
echo "status $?"
echo '{"input_ids":[1,999999]}' | lm-transform --level token -m tok
echo "status $?"
