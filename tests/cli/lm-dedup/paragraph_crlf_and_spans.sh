# Removing cuts exactly the spans that annotating marks, whatever the line ends and characters.
printf '%s\n' '{"id":"a","text":"one\r\ntwo\r\n"}' '{"id":"b","text":"two\r\nthree\r\none"}' '{"id":"c","text":"\r\nda\u00df \ud83d\ude00\r\n\r\nda\u00df \ud83d\ude00\r\nend"}' \
  '{"id":"d","text":"one\r\nx\u0000y\ntwo\r\nx\u0000y"}' > in.jsonl
lm-dedup paragraph -z none in.jsonl > marked.jsonl
jq -c '[.id, .attributes.lm_dedup_paragraph]' marked.jsonl
jq -c '[.id, .text as $t | (.attributes.lm_dedup_paragraph | map([.[0], .[1]])) as $s
  | [range(0; $t | length) | select(. as $i | all($s[]; $i < .[0] or $i >= .[1]))] | map($t[.:. + 1]) | join("")]' marked.jsonl > cut.jsonl
lm-dedup paragraph --action remove -z none in.jsonl | jq -c '[.id, .text]' | tee removed.jsonl
cmp cut.jsonl removed.jsonl && echo same
sed 's/$/\r/' in.jsonl | lm-dedup paragraph --action remove -z none | jq -c '[.id, .text]' | cmp - removed.jsonl && echo same
