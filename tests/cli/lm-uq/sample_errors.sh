"$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-model m
cat > in.jsonl <<'END'
{"id":"none","text":"a"}
{"id":"type","prompt":3}
{"id":[1],"prompt":"a"}
{"id":"list","prompt":"a","perturb":{"prompt":"b"}}
{"id":"entry","prompt":"a","perturb":["b"]}
{"id":"noprompt","prompt":"a","perturb":[{"kind":"gaap"}]}
{"id":"long","prompt":"0123456789012345678901234567890123456789012345678901234567890123456789"}
{"id":"longer","prompt":"a","perturb":[{"prompt":"b"},{"prompt":"0123456789012345678901234567890123456789012345678901234567890123456789"}]}
{"id":"good","prompt":"a","perturb":[]}
{"id":"null","prompt":"a","perturb":null,"emb":{"greedy":[1]},"p_true":0.5,"samples":["old"]}
END
printf '{"id":"utf8","prompt":"\xff"}\n' >> in.jsonl
lm-uq sample -q -m m -z none -n 1 --max-tokens 2 in.jsonl | jq -c '[.id, .error // (.samples | length), .emb, .p_true]'
lm-uq sample -m m --on-error fail --max-tokens 2 in.jsonl; echo "status $?"
lm-uq sample in.jsonl; echo "status $?"
lm-uq sample -m absent in.jsonl; echo "status $?"
lm-uq sample -m m --temperature 0 in.jsonl; echo "status $?"
lm-uq sample -m m --temperatures 1,x in.jsonl; echo "status $?"
lm-uq sample -m m --temperatures 1,2 --resume r.jsonl in.jsonl; echo "status $?"
lm-uq sample -m m --temperatures 1,2 --temperature 1 in.jsonl; echo "status $?"
lm-uq sample -m m --greedy in.jsonl; echo "status $?"
# the question about the answer is longer than the context
echo '{"id":"a","prompt":"b"}' | lm-uq sample -m m -z none --max-tokens 2 --p-true | jq -c '[.id, has("p_true")]'
: | lm-uq sample -m m -z none; echo "status $?"
# every weight a NaN: f32 0x7fc00000
size=$(stat -c %s m/model.safetensors)
head=$(od -An -tu8 -N8 m/model.safetensors | tr -d ' ')
{ head -c $((8 + head)) m/model.safetensors; printf '\0\0\300\177%.0s' $(seq $(((size - 8 - head) / 4))); } > nan && mv nan m/model.safetensors
echo '{"id":"a","prompt":"b"}' | lm-uq sample -q -m m -z none | jq -c '[.id, .error.code]'
