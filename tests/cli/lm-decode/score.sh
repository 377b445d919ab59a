"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
long=$(printf '%0200d' 0)
printf '%s\n' '{"id":"t","text":"in the end","source":"a"}' "{\"id\":\"w\",\"text\":\"$long\",\"source\":\"b\"}" \
  '{"id":"e","text":"","source":"a"}' '{"id":"c","prompt":"in ","completion":"the"}' \
  '{"id":"l","prompt":"a","choices":["b","cc",""],"source":"b"}' \
  "{\"id\":\"x\",\"prompt\":\"$long\",\"completion\":\"a\"}" '{"id":"n"}' '{"id":"y","prompt":"a","choices":[]}' > in.jsonl
lm-decode score -q -m m --per-token --group source --report r.json -t 1 --batch 1 --chunk 5 in.jsonl -o want.jsonl
lm-decode score -q -m m --per-token -t 2 in.jsonl -o got.jsonl; cmp want.jsonl got.jsonl && echo same
jq -c 'def s: [.tokens, .bytes, (.logprobs | length), ((.logprobs | add // 0) - .sum | fabs < 1e-3), (.sum <= 0)];
  [.id, (.score // empty | s), (.scores // empty | map(s)), .best, .error.code]' want.jsonl
jq -c '.metrics | .total.records, .total.tokens, .total.bytes, (.groups.source | map_values([.records, .tokens, .bytes]))' r.json
# what generate wrote can be scored: greedy tokens are the likeliest
echo '{"id":"g","prompt":"the"}' | lm-decode -m m --greedy --max-tokens 6 --tokens --logprobs -z none > g.jsonl
jq -c '.completions[0].logprobs | length' g.jsonl
lm-decode score -m m --no-bos -z none --drop-extra - < <(echo '{"id":"a","text":"ab"}') | jq -c '.score | [.tokens, .bytes]'
