awk 'BEGIN { split("the of and lower lowest newer newest widest river stone light wind seven hours often h\\u00e9llo \\ud83d\\ude00 12 345 its", w, " ")
  for (i = 0; i < 300; ++i) { printf "{\"id\":\"d%d\",\"text\":\"", i; k = 3 + i * 7 % 11
    for (j = 0; j < k; ++j) printf "%s%s", j ? " " : "", w[1 + (i * i + j * 5 + i * j) % 20]; print (i % 3 ? "" : "\\n") "\"}" } }' > docs.jsonl
lm-tokenize train -q -n 300 --special-token '<|endoftext|>' docs.jsonl -o t/
for format in lm dolma megatron npy datatrove; do
  for type in u16 u32; do
    for n in 1 2 7; do lm-tokenize pack -m t --format $format --dtype $type --shard-tokens 1000 -t $n docs.jsonl -o out/$format.$type.$n/x; done
    diff -r out/$format.$type.1 out/$format.$type.2 && diff -r out/$format.$type.1 out/$format.$type.7
    (cd out/$format.$type.1 && wc -c x-* | awk '$2 ~ /gz$/ { $1 = "gzip" } $2 != "total" { printf "%s %s, ", $2, $1 } END { print "" }')
  done
done
jq -c '[.dtype, .vocab_size, .documents, .tokens, (.shards | length)]' out/lm.u16.1/x.json
lm-tokenize -m t --eos docs.jsonl -z none | jq '.input_ids | length' | awk '{ n += $1 } END { print n }'
lm-tokenize -m t --eos docs.jsonl -z none | lm-tokenize pack --from-ids -m t --shard-tokens 1000 -o ids/x; cmp ids/x-00000.bin out/lm.u16.1/x-00000.bin
od -An -tu2 -N 12 out/lm.u16.1/x-00000.bin; od -An -tu4 -N 24 out/lm.u32.1/x-00000.bin
