# A text on which the pattern of the tokenizer's file gives up is a bad record.
cat > tok.json <<"EOF"
{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(a|aa)+$"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}}
EOF
hard=$(printf 'a%.0s' $(seq 80))b
printf '{"id":"%s","text":"%s"}\n' first ab hard "$hard" last b > in.jsonl
lm-tokenize -m tok.json -z none in.jsonl; echo "status $?"
lm-tokenize -m tok.json -z none --on-error skip in.jsonl
lm-tokenize pack -m tok.json --on-error quarantine --rejects rejects.jsonl -o packed in.jsonl; echo "status $?"; jq -c .error.code rejects.jsonl
