"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
printf '{"id":"a","prompt":"the"}\n' > in.jsonl
try() { lm-decode -m m --max-tokens 3 "$@" in.jsonl -o out.jsonl; echo "status $? $(test -e out.jsonl && echo written)"; rm -f out.jsonl; }
try --draft oracle
try --draft-length 4
try --draft ngram --draft-length 65
try --draft prompt-lookup --draft-file d.bin
try --draft prompt-lookup --draft-scope stream
try --draft ngram --draft-model m
try --draft model
try --draft model --draft-model nowhere
printf 'LMDRAFT1 and so on' > d.bin
try --draft ngram --draft-file d.bin
printf '{}\n' > d.bin
try --draft ngram --draft-file d.bin
cat d.bin
try --draft ngram --draft-file in.jsonl
mkdir folder
try --draft ngram --draft-file folder
# another tokenizer
cp -r m other
jq -c '.model.merges |= .[:-1]' other/tokenizer.json > t && mv t other/tokenizer.json
try --draft model --draft-model other
rm d.bin
try --draft ngram --draft-file d.bin
lm-decode -m other --max-tokens 3 --draft suffix --draft-file d.bin in.jsonl -o out.jsonl; echo "status $?"
