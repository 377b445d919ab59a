# What a model takes is inside --memory: too little is refused with a figure that then suffices, for
# one model and for two, and the bytes do not depend on it.
tiny="$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model
$tiny m 1 262 100000; $tiny n 2 262 100000
{ printf '{"id":"a","prompt":"in the end","text":"in the end","params":{"max_tokens":20,"temperature":0}}\n'; } > in.jsonl
would() { sed -n 's/.*hint: --memory \([0-9]*M\) would do for texts of \([0-9]*\) tokens$/\1/p' err; }
lm-decode -m m in.jsonl -o want.jsonl
lm-decode -m m --memory 100K in.jsonl -o got.jsonl 2>err; echo "status $?"
test ! -e got.jsonl && lm-decode -m m --memory "$(would)" in.jsonl -o got.jsonl && cmp want.jsonl got.jsonl && echo same
lm-ppl-filter --contrast m,n -z none in.jsonl | jq -c .attributes > want
lm-ppl-filter --contrast m,n --memory 3M -z none in.jsonl 2>err >got; echo "status $?"
lm-ppl-filter --contrast m,n --memory "$(would)" -z none in.jsonl | jq -c .attributes | cmp want - && echo same
# a text that is longer than the budget allows, and the figure for it
jq -nc '{id:"long", text:("in the " * 9000)}' > long.jsonl
lm-decode score -m m --memory 6M long.jsonl -o got.jsonl 2>err; echo "status $?"
more=$(sed -n 's/.*hint: --memory larger by \([0-9]*\)M, .*/\1/p' err)
lm-decode score -m m --memory $((6 + more))M long.jsonl | zstd -dc | jq -c .score.tokens
