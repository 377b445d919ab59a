{ printf '{"id":"rep","text":"'; printf 'spam %.0s' $(seq 100); printf '"}\n'; printf '{"id":"short","text":"spam"}\n'; } > in.jsonl
lm-ppl-filter --zlib -z none in.jsonl | jq -c '[.id, .attributes.lm_ppl__zlib__ratio]'
lm-ppl-filter select --zlib --max 0.5 -z none in.jsonl | jq -c .id
lm-ppl-filter select --zlib --min 0.5 --zlib-min-bytes 1 -z none in.jsonl | jq -c .id
