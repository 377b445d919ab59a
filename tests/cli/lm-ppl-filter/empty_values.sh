# An empty value is refused before anything is read.
echo '{"id":1,"text":"x"}' > in.jsonl
lm-ppl-filter score --zlib --name '' in.jsonl -o out; echo "$?"
lm-ppl-filter score --zlib --condition '' in.jsonl -o out; echo "$?"
lm-ppl-filter score -m '' in.jsonl -o out; echo "$?"
lm-ppl-filter select --zlib --min 0 --group '' in.jsonl -o out; echo "$?"
lm-ppl-filter select --from-attr '' --min 0 in.jsonl -o out; echo "$?"
lm-ppl-filter bucket --zlib --split-output '' in.jsonl; echo "$?"
lm-ppl-filter eval --metric '' in.jsonl; echo "$?"
test -e out || echo absent
