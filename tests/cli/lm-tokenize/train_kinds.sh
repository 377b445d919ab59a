awk 'BEGIN { split("the of and lower lowest newer newest widest river stone light wind seven hours often h\\u00e9llo \\ud83d\\ude00 12 345 its", w, " ")
  for (i = 0; i < 300; ++i) { printf "{\"id\":\"d%d\",\"text\":\"", i; k = 3 + i * 7 % 11
    for (j = 0; j < k; ++j) printf "%s%s", j ? " " : "", w[1 + (i * i + j * 5 + i * j) % 20]; print (i % 3 ? "" : "\\n") "\"}" } }' > docs.jsonl
for options in '' '--ties bytes' '--ties sp' '--pattern r50k' '--pattern none' '--min-frequency 1000' '--max-token-bytes 3' '--doc-cap 20' '--min-word-count 120' \
  '--type sp-bpe' '--type sp-unigram' '--type sp-bpe --byte-fallback --split-digits --normalization identity --no-dummy-prefix'; do
  size=290; case $options in *sp-*byte*) size=330 ;; *sp-unigram*) size=45 ;; *sp-*) size=60 ;; esac
  for t in 1 2 7; do lm-tokenize train -q -n $size $options --special-token '<x>' -t $t docs.jsonl -o out.$t; done
  cmp out.1 out.2 && cmp out.1 out.7 || echo "$options: differs by threads"
  lm-tokenize -q -m out.1 docs.jsonl -z none --drop-text | lm-tokenize decode -q -m out.1 -z none --drop-ids > back.jsonl
  echo "[$options] $(jq -r .text docs.jsonl | cksum | cut -d' ' -f1) $(jq -r .text back.jsonl | cksum | cut -d' ' -f1) $(lm-tokenize -q -m out.1 docs.jsonl -z none | jq '.input_ids | length' | awk '{ n += $1 } END { print n }')"
done
