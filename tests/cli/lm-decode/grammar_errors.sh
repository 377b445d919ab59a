"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
printf '{"id":"a","prompt":"the"}\n' > in.jsonl
try() { lm-decode -m m --max-tokens 9 "$@" in.jsonl -o out.jsonl; echo "status $? $(test -e out.jsonl && echo written)"; rm -f out.jsonl; }
try --regex '(?=a)b'
try --regex 'a('
try --regex a --json
try --choice a --grammar g
try --grammar nowhere
printf 'root ::= root "a" | "b"\n' > left.gbnf; try --grammar left.gbnf
printf 'root ::= "a" root\n' > endless.gbnf; try --grammar endless.gbnf
printf 'root ::= "a" other\n' > unknown.gbnf; try --grammar unknown.gbnf
printf '{"properties":{"a":{"$ref":"http://example.com/x.json"}}}' > remote.json; try --json-schema remote.json
printf '{"properties":{"a":{"unevaluatedItems":false}}}' > keyword.json; try --json-schema keyword.json
try --json-schema keyword.json --schema-lenient
printf '{"type":' > torn.json; try --json-schema torn.json
try --json --grammar-memory 64K
try --json --grammar-memory 1
try --asap-unbounded
try --regex 'a+' --grammar-mode asap --temperature 0.5
for own in --top-k=1 --top-p=0.3 --min-p=0.5 --frequency-penalty=5 --dry-multiplier=1; do
  lm-decode -m m --max-tokens 9 --regex 'a+' --grammar-mode asap "$own" in.jsonl 2>/dev/null | zstd -dcf | jq -c '.error.code'
done
try --regex 'a+' --asap-warmup 3
try --regex 'a+' --grammar-mode asap --asap-trie t.bin --resume r.jsonl
try --regex 'a+' --grammar-mode asap --asap-trie in.jsonl
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model other 2
lm-decode -m other --max-tokens 9 --regex 'a+' --grammar-mode asap --asap-trie t.bin in.jsonl -o out.jsonl; rm out.jsonl
try --regex 'a+' --grammar-mode asap --asap-trie t.bin
cat > in.jsonl <<'E'
{"id":"two","prompt":"x","regex":"a","choices":["b"]}
{"id":"list","prompt":"x","choices":[]}
{"id":"texts","prompt":"x","choices":["a",1]}
{"id":"type","prompt":"x","grammar":{"a":1}}
{"id":"schema","prompt":"x","schema":"{"}
{"id":"kind","prompt":"x","schema":17}
{"id":"good","prompt":"x","regex":"a"}
E
lm-decode -m m --max-tokens 9 in.jsonl | zstd -dcf | jq -c '[.id, .error.code, .error.message, .completions[0].text]'
