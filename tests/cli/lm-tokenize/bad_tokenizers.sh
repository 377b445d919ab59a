try() { printf '{"text":"a"}\n' | lm-tokenize -m "$1" -z none; echo "status $?"; }
model() { printf '{"model":{"type":"BPE","vocab":%s,"merges":%s}}' "$1" "$2" > t.json; try t.json; }
model '{"a":0' '[]'
model '{"a":0}' '["a b"]'
model '{"a":0,"b":1}' '["a b"]'
model '{"a":0,"b":1}' '["a"]'
model '{"a":0,"b":1}' '[["a","b","c"]]'
model '{"a":-1}' '[]'
model '{"a":99999999999}' '[]'
model '{"a":0,"b":0}' '[]'
model '{"a":"0"}' '[]'
model '[]' '[]'
echo '{"model":{"type":"WordPiece","vocab":{}}}' > t.json; try t.json
echo '{"normalizer":{"type":"Magic"},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}' > t.json; try t.json
: > t.json; try t.json
echo words > t.json; try t.json
printf 'YQ== 0\nYg== x\n' > t.tiktoken; try t.tiktoken
mkdir empty; try empty
try absent.json
lm-tokenize < /dev/null; echo "status $?"
