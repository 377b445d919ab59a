printf '%s\n' '{"id":"a","text":"one\ntwo\nthree"}' '{"id":"b","text":"two\nfour\n"}' '{"id":"c","text":"é\né\ntwo"}' \
  '{"id":"d","text":"two\n \nthree"}' '{"id":"e","text":""}' > in.jsonl
lm-dedup paragraph -z none in.jsonl; echo
lm-dedup paragraph --across-only -z none in.jsonl; echo
lm-dedup paragraph --action remove -z none in.jsonl; echo
lm-dedup paragraph --action remove --drop-if-empty -z none in.jsonl; echo
lm-dedup paragraph --action remove --min-left 4 -z none in.jsonl
