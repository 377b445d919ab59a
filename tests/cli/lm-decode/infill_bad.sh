# What infill refuses.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
printf '{"prefix":"a","suffix":"b"}\n' > in.jsonl
try() { lm-decode infill -z none "$@"; echo "status $?"; }
try -m m in.jsonl
try -m m --format nothing in.jsonl
echo '{"layout":"psm","prefix":"<s>","suffix":"</s>"}' > half.json
try -m m --format ./half.json in.jsonl
echo '{"layout":"psm","prefix":"<s>","suffix":"</s>","middle":"the"}' > own.json
try -m m --format ./own.json --truncate-before '(' in.jsonl
cat > bad.jsonl <<'END'
{"id":"both","prefix":"a","suffix":"b","prompt":"a<|fill|>"}
{"id":"half","prefix":"a"}
{"id":"none","prompt":"a"}
{"id":"two","prompt":"<|fill|><|fill|>"}
{"id":"nothing"}
{"id":"type","prefix":1,"suffix":"b"}
{"id":"empty","prefix":"","suffix":""}
END
lm-decode infill -q -m m --format ./own.json --max-tokens 2 -z none bad.jsonl | jq -c '[.id, .error.message // .completions[0].finish_reason]'
