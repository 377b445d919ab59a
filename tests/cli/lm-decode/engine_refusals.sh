# Engines by name, and what does not go with them.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
echo '{"when":{},"reply":"x"}' > rules.jsonl
printf '{"id":"a","prompt":"the"}\n' > in.jsonl
try() { lm-decode "$@" in.jsonl -o out.jsonl; echo "status $? $(test -e out.jsonl && echo written)"; rm -f out.jsonl; }
try --engine m
try --engine script:
try --engine remote:m
try --engine script:nowhere
try --engine replay:nowhere
try --engine ngram:rules.jsonl
try --engine replay:in.jsonl
try -m m --engine script:rules.jsonl
try --script-coverage c.json -m m
try --engine local:m --script-coverage c.json
try --engine replay:in.jsonl --script-coverage c.json
try --engine local:m --record r.jsonl --strict-script
for option in --tokens --logprobs --top-logprobs=2 --prompt-logprobs --dump-prompt --chat=chatml --chat-var=a=1 --date=2026-01-02 \
  --echo --continue-final-message --jrt=both --jrt-sep=x --jrt-template=CCQ --no-truncate --sets-order=given --no-sets-parallel \
  --no-sets-apart --grammar-mode=asap --small-model=m --draft=ngram --prefix-mode=none --tokenizer=m --no-bos --special=text --dtype=bf16 --chunk=9 \
  --no-model-defaults; do
  lm-decode --engine script:rules.jsonl $option in.jsonl -o out.jsonl 2>&1 | grep -v 'hint:'
  test ! -e out.jsonl || echo "$option is taken"
done
lm-decode -m m --record r.jsonl --draft ngram in.jsonl -o out.jsonl
lm-decode --engine script:rules.jsonl --resume in.jsonl -o in.jsonl in.jsonl
for rule in '{"when":{}}' '{"when":{"promt":"a"},"reply":"x"}' '{"when":{},"reply":"x","time":1}' '{'; do
  { cat rules.jsonl; echo "$rule"; } > wrong.jsonl; try --engine script:wrong.jsonl
done
