printf '%s\n' '{"text":"a b\n\nc"}' '{"text":"c\n\na b\n\nc"}' > in.jsonl
lm-dedup paragraph --separator '\n\n' -z none in.jsonl
lm-dedup paragraph --min-words 2 -z none in.jsonl
lm-dedup paragraph --skip-empty -z none in.jsonl
lm-dedup paragraph --separator '' in.jsonl
