"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
cat > in.jsonl <<'E'
{"id":"one","prompt":["which ",{"set":["a cat","the dog","in it"]},{"text":" is it?"}]}
E
sed 's/\["a cat","the dog","in it"\]/["in it","a cat","the dog"]/' in.jsonl > other.jsonl
run() { lm-decode -m m --max-tokens 12 --tokens --logprobs "$@" | zstd -dcf | jq -c '.completions'; }
# the order of a set is not seen
run in.jsonl > want; run other.jsonl > got; cmp want got && echo same
run --batch 1 --chunk 3 other.jsonl > got; cmp want got && echo same
run --draft ngram --draft-all other.jsonl > got; cmp want got && echo same
# positions alone, the mask alone, neither: it is
for how in --no-sets-parallel --no-sets-apart '--no-sets-parallel --no-sets-apart'; do
  run --sets-order given $how in.jsonl > a; run --sets-order given $how other.jsonl > b; cmp -s a b || echo "seen $how"
done
# texts without sets are one prompt in pieces; a set of one is its text
printf '%s\n' '{"id":"t","prompt":["the ","end"]}' '{"id":"t","prompt":["the ",{"set":["end"]}]}' | run - | uniq | wc -l
lm-decode -m m --dump-prompt in.jsonl | zstd -dcf | jq -c .
cat > bad.jsonl <<'E'
{"id":"name","prompt":["a",{"sett":["b"]}]}
{"id":"member","prompt":["a",{"set":["b",1]}]}
{"id":"both","prompt":[{"text":"a","set":["b"]}]}
{"id":"number","prompt":[1]}
{"id":"nested","prompt":[{"set":[["a"]]}]}
{"id":"long","prompt":["a",{"set":["bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","cccccccccccccccccccccccccccccccccccccccccccc"]}]}
{"id":"empty","prompt":[],"params":{"max_tokens":2}}
{"id":"nothing","prompt":[{"set":[]},""],"params":{"max_tokens":2}}
E
lm-decode -m m --max-tokens 4 bad.jsonl | zstd -dcf | jq -c '[.id, .error.code, .error.message, (.completions | length)]'
