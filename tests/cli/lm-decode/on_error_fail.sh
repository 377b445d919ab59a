"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
printf '%s\n' '{"id":"a","prompt":"x"}' '{"id":"b","prompt":"y","params":{"n":0}}' '{"id":"c","prompt":"z"}' > in.jsonl
lm-decode -m m --max-tokens 3 --on-error fail in.jsonl -o out.jsonl; echo "status $?"
lm-decode -m m --max-tokens 3 --on-error skip in.jsonl -o out.jsonl; echo "status $?"
jq -r .id out.jsonl
# found by the model, not by the reader
printf '%s\n' '{"id":"a","prompt":"x"}' "{\"id\":\"b\",\"prompt\":\"$(printf '%070d' 0)\"}" > in.jsonl
lm-decode -m m --max-tokens 3 --on-error fail in.jsonl -o no.jsonl; echo "status $?"
ls
