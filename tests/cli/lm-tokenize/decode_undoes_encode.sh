awk 'BEGIN { split("the of and lower lowest newer newest widest river stone light wind seven hours often h\\u00e9llo \\ud83d\\ude00 12 345 its", w, " ")
  for (i = 0; i < 300; ++i) { printf "{\"id\":\"d%d\",\"text\":\"", i; k = 3 + i * 7 % 11
    for (j = 0; j < k; ++j) printf "%s%s", j ? " " : "", w[1 + (i * i + j * 5 + i * j) % 20]; print (i % 3 ? "" : "\\n") "\"}" } }' > docs.jsonl
lm-tokenize train -q -n 300 docs.jsonl -o t.json
awk 'BEGIN { for (i = 0; i < 4000; ++i) { printf "{\"text\":\""; x = i * 7919 % 65521
  for (j = 0; j < 30; ++j) { x = (x * 75 + 74) % 65537; c = x; if (c >= 55296 && c < 57344) c = 97 + c % 26; printf "%s\\u%04x", c % 5 ? "" : " the ", c } print "\"}" } }' > in.jsonl
for t in 1 2 7; do lm-tokenize -m t.json -t $t -z none in.jsonl | cksum; done | sort -u | wc -l
lm-tokenize -m t.json --drop-text in.jsonl | lm-tokenize decode -m t.json --drop-ids -z none | jq -c .text | cmp - <(jq -c .text in.jsonl) && echo equal
