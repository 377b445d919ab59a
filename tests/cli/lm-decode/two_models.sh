make=$(dirname "$(command -v lm-decode)")/helpers/make-tiny-model
"$make" small && "$make" large 2
for i in $(seq 8); do printf '{"id":"r%d","prompt":"the %d, the %d"}\n' $i $i $((i * 7)); done > in.jsonl
# beyond all entropies one model writes
text() { jq -c '[.id, [.completions[].text]]' "$1"; }
lm-decode -m small -n 2 --max-tokens 30 in.jsonl -o s.jsonl
lm-decode -m large -n 2 --max-tokens 30 in.jsonl -o l.jsonl
lm-decode -m large --small-model small -n 2 --max-tokens 30 --ead-threshold inf in.jsonl -o got.jsonl
cmp <(text s.jsonl) <(text got.jsonl) && jq -c '.completions[0].ead' got.jsonl | sort -u | head -n 1
lm-decode -m large --small-model small -n 2 --max-tokens 30 --ead-threshold -1 --ead-start large in.jsonl -o got.jsonl
cmp <(text l.jsonl) <(text got.jsonl) && jq -c '.completions[0].ead | del(.mean_entropy_bits, .large_tokens)' got.jsonl | sort -u
# in turns: the same bytes for any batch, chunk and threads
two() { lm-decode -m large --small-model small -n 2 --max-tokens 40 --ead-threshold 3 --ead-window 3 --ead-dwell 2 --ead-trace "$@" in.jsonl; }
two -o want.jsonl --report r.json
two --batch 1 -o got.jsonl && cmp want.jsonl got.jsonl
two --batch 3 --chunk 7 -t 2 -o got.jsonl && cmp want.jsonl got.jsonl
jq -cs 'map(.completions[].ead) | [(map(.switches) | add) > 0,
  all(.[]; (.models | length) == .large_tokens + .small_tokens),
  all(.[]; (.entropies | length) == (.models | length)),
  all(.[]; ([.models | match("sL|Ls"; "g")] | length) <= .switches),
  all(.[]; (.models | test("(^|L)s(L|$)|(^|s)L(s)")) | not)]' want.jsonl
jq -c '.metrics.throughput | [.other_rows > 0, .other_steps > 0]' r.json
# controls
lm-decode -m large --small-model small --max-tokens 20 --ignore-eos --ead-rule first --ead-first 3 --ead-trace in.jsonl | zstd -dcf | jq -r .completions[0].ead.models | sort -u
lm-decode -m large --small-model small --max-tokens 40 --ignore-eos --ead-rule random --ead-share 0.5 --ead-dwell 1 in.jsonl | zstd -dcf | jq -s 'map(.completions[0].ead.large_tokens) | add | . > 100 and . < 220'
# what does not fit
cp -r small other
jq -c '.model.merges |= .[:-1]' other/tokenizer.json > t && mv t other/tokenizer.json
try() { lm-decode -m large "$@" in.jsonl -o out.jsonl; echo "status $?"; }
try --small-model other
try --small-model nowhere
try --ead-threshold 2
try --small-model small --draft ngram
try --small-model small --ead-share 0.2
try --small-model small --ead-dwell 0
