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
echo '{"model":{"type":"WordLevel","vocab":{}}}' > t.json; try t.json
echo '{"normalizer":{"type":"Magic"},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}' > t.json; try t.json
: > t.json; try t.json
echo words > t.json; try t.json
printf 'YQ== 0\nYg== x\n' > t.tiktoken; try t.tiktoken
mkdir empty; try empty
try absent.json
lm-tokenize < /dev/null; echo "status $?"
# what only a hostile file does
model '{}' '[]'
echo '{"model":"BPE"}' > t.json; try t.json
echo '{"model":{"type":"BPE","vocab":{"a":0},"merges":[],"merges":[]}}' > t.json; try t.json
echo '{"post_processor":{"type":"BertProcessing","sep":["x",1],"cls":["x",1]},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}' > t.json; try t.json
echo '{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated"},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}' > t.json
echo '{"id":"slow","text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"}' | lm-tokenize -m t.json; echo "status $?"
twice='{"type":"Replace","pattern":{"String":"a"},"content":"aa"}'
for i in 1 2 3 4 5; do twice="$twice,$twice"; done
printf '{"normalizer":{"type":"Sequence","normalizers":[%s]},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}' "$twice" > t.json; try t.json
printf '{"decoder":{"type":"Sequence","decoders":[%s]},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}' "$twice" > t.json; try t.json
