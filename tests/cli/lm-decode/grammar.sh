"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
for i in $(seq 6); do printf '{"id":"r%d","prompt":"the %d"}\n' $i $i; done > in.jsonl
out() { lm-decode -m m --max-tokens 40 "$@" in.jsonl | zstd -dcf; }
texts() { out "$@" | jq -r '.completions[].text'; }
# texts are of the language
texts -n 3 --regex '[a-c]{2,5}(-the){0,2}[0-9]' | grep -cvE '^[a-c]{2,5}(-the){0,2}[0-9]$'
texts --choice yes --choice no --choice 'not yet' | grep -cvE '^(yes|no|not yet)$'
texts -n 4 --json | jq -c type | sort -u | wc -l
texts -n 4 --max-tokens 5 --json | jq -c . | wc -l
cat > schema.json <<'E'
{"type":"object","properties":{"name":{"type":"string","maxLength":4},"age":{"type":"integer","minimum":0,"maximum":120},
 "tags":{"type":"array","items":{"enum":["a","b"]},"maxItems":2}},"required":["name","age"],"additionalProperties":false}
E
texts -n 4 --max-tokens 80 --json-schema schema.json | jq -e '(.name | length <= 4) and .age >= 0 and .age <= 120 and
  (.age | floor) == .age and ((.tags // []) - ["a", "b"] == []) and (keys - ["name", "age", "tags"] == [])' | sort | uniq -c
texts --json-space compact --max-tokens 80 --json-schema schema.json | grep -c '": \|, "'
printf 'root ::= "the " what ("," what)*\nwhat ::= [a-z]{1,3} | "(" what ")"\n' > g.gbnf
texts --grammar g.gbnf | grep -cv '^the [a-z(]'
printf 'start: "the " WORD ("," WORD)*\nWORD: /[a-z]{1,3}/\n' > g.lark
texts --grammar g.lark | grep -cvE '^the [a-z]{1,3}(,[a-z]{1,3})*$'
# with any draft, batch, chunk and threads, and any sampler
for how in --greedy '-n 2 --top-p 0.8 --repetition-penalty 1.3' '--logprobs --tokens'; do
  out $how --json-schema schema.json > want
  for draft in none ngram suffix 'model --draft-model m'; do
    out $how --json-schema schema.json --draft $draft --batch 2 --chunk 9 -t 2 > got && cmp want got && echo "same $draft"
  done
done
# records' own languages
cat > own.jsonl <<'E'
{"id":"schema","prompt":"x","schema":{"enum":["p","q"]}}
{"id":"text","prompt":"x","schema":"{\"const\":12}"}
{"id":"choices","prompt":"x","choices":["red","blue"]}
{"id":"grammar","prompt":"x","grammar":"root ::= \"a\" root | \"b\""}
{"id":"regex","prompt":"x","regex":"z{3}"}
{"id":"none","prompt":"x","schema":null}
E
lm-decode -m m --max-tokens 30 --choice other own.jsonl | zstd -dcf | jq -c '[.id, .completions[0].text, .completions[0].finish_reason]'
# in their true proportions
for batch in 1 3; do
  lm-decode -m m --max-tokens 30 --regex '(ab|the){1,3}' --grammar-mode asap -n 6 --batch $batch in.jsonl | zstd -dcf > asap.$batch
done
cmp asap.1 asap.3
jq -c '[.completions[] | .text | test("^(ab|the){1,3}$")] | all' asap.1 | sort -u
jq -c '[.completions[].asap.root_mass] | . == (sort | reverse)' asap.1 | sort -u
jq -c '.completions[-1].asap.exact_logprob < 0' asap.1 | sort -u
jq -c '[.completions[].asap | (.distance - (1 - .found_mass / .root_mass) | fabs < 1e-9), .distance <= 1] | all' asap.1 | sort -u
jq -c '[.completions[].asap.distance] | . == (sort | reverse)' asap.1 | sort -u
# samples that only teach: the same draws follow them, from a smaller mass, and the record says n 2
for batch in 1 3; do
  out -n 2 --regex '(ab|the){1,3}' --grammar-mode asap --asap-warmup 20 --batch $batch > warm.$batch
done
cmp warm.1 warm.3
jq -c '[(.completions | length), .params.n, .completions[1].index]' warm.1 | sort -u
jq -c '.completions[0].asap.distance' warm.1 > warm; jq -c '.completions[0].asap.distance' asap.1 | paste warm - | awk '{ print ($1 < $2) }' | sort -u
# what one run has learned the next one knows; records share it from run to run, not within one
twice() { cat in.jsonl in.jsonl; }
known() { twice | lm-decode -m m --max-tokens 40 -n 3 --regex '(ab|the){1,3}' --grammar-mode asap --asap-trie t.bin --batch $1 | zstd -dcf; }
for batch in 1 4; do
  rm -f t.bin; known $batch > first.$batch; cp t.bin first.bin; known $batch > second.$batch
  cmp first.bin t.bin > /dev/null || echo 'it learns'
done
cmp first.1 first.4 && cmp second.1 second.4
head -n 6 first.1 > a; tail -n 6 first.1 > b; cmp a b
jq -c '.completions[0].asap.distance' first.1 > a; jq -c '.completions[0].asap.distance' second.1 | paste - a | awk '{ print ($1 < $2) }' | sort -u
head -c 8 t.bin; echo
