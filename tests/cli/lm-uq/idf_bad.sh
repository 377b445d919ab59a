# Texts that --idf counts are no records of the run: --on-error is not of them.
"$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-model m
printf '%s\n' '{"text":"a b"}' '{"prompt":"a"}' > bad.jsonl
echo '{"id":1,"prompt":"a"}' > in.jsonl
lm-uq sample -m m -n 1 --max-tokens 2 --attention focus --idf bad.jsonl in.jsonl; echo "status $?"
echo 'not json' > bad.jsonl
lm-uq sample -m m -n 1 --max-tokens 2 --attention focus --idf bad.jsonl in.jsonl; echo "status $?"
