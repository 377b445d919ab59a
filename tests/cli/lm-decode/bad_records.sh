"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
cat > in.jsonl <<'END'
{"id":"unknown","prompt":"a","params":{"temprature":1}}
{"id":"range","prompt":"a","params":{"top_p":2}}
{"id":"both","prompt":"a","tokens":[1]}
{"id":"none","text":"a"}
{"id":"token","tokens":[1,262]}
{"id":"empty","tokens":[]}
{"id":"type","prompt":3}
{"id":"long","prompt":"0123456789012345678901234567890123456789012345678901234567890123456789"}
{"id":"good","prompt":"a","keep":[1, 2]}
{"id":"bias","prompt":"a","params":{"logit_bias":{"262":1}}}
END
printf '{"id":"utf8","prompt":"\xff"}\n' >> in.jsonl
lm-decode -q -m m -z none in.jsonl | jq -c '[.id, .error // .completions[0].finish_reason, .keep]'
