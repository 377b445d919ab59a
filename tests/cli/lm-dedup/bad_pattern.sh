# A text on which the pattern of the tokenizer's file gives up is a bad record.
cat > tok.json <<"EOF"
{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(a|aa)+$"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},
 "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}}
EOF
hard=$(printf 'a%.0s' $(seq 80))b
printf '{"id":"%s","text":"%s"}\n' first ab hard "$hard" last b > in.jsonl
lm-dedup minhash --unit token --tokenizer tok.json --n 1 -z none in.jsonl; echo "status $?"
printf '{"id":"copy","text":"ab"}\n' >> in.jsonl
for verify in exact sketch; do
  lm-dedup minhash --unit token --tokenizer tok.json --n 1 --verify $verify --prefer longest --action remove -z none --on-error skip in.jsonl
done
