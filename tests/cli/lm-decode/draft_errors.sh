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
# n-gram models: of other words, of another tokenizer, of none
try --draft ngram-model
try --draft ngram-model --draft-model nowhere
printf '{"text":"the end of the end"}\n' > t.jsonl
lm-ngram train -q -k 2 --discount-fallback t.jsonl -o words.lmng
try --draft ngram-model --draft-model words.lmng
lm-ngram train -q -k 2 --tokenizer other --discount-fallback t.jsonl -o other.lmng
try --draft ngram-model --draft-model other.lmng
printf '{"text":"hello there"}\n' | lm-ngram train -q -k 2 --discount-fallback -o words.arpa
try --draft ngram-model --draft-model words.arpa
try --draft ngram-model --draft-model in.jsonl
rm d.bin
try --draft ngram --draft-file d.bin
lm-decode -m other --max-tokens 3 --draft suffix --draft-file d.bin in.jsonl -o out.jsonl; echo "status $?"
