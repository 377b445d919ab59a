seq 20000 | awk '{ s = ($1 * 7919) % 1000; printf "{\"id\":%d,\"lang\":\"%s\",\"attributes\":{\"q\":%s}}\n", $1, $1 % 3 ? "en" : "de", $1 % 97 ? s / 8 : "[]" }' > in.jsonl
for lang in en de; do
  n=$(grep -c "\"$lang\"" in.jsonl)
  jq -r "select(.lang == \"$lang\" and .attributes.q != []) | [.attributes.q, .id] | @tsv" in.jsonl |
    sort -s -k1,1g | head -n $((n * 3 / 10)) | cut -f 2
done | sort -n > want
for t in 1 2 7; do
  lm-ppl-filter select -t $t --from-attr q --group lang --keep-lowest 0.3 -z none in.jsonl 2>err | jq .id | cmp - want
done
cat err; wc -l < want
for m in 1M 2G; do lm-ppl-filter select -q --memory $m --from-attr q --percentile 10,20 in.jsonl -o $m.zst; done; cmp 1M.zst 2G.zst
