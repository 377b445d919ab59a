# What a tagger has said in the header it looks for is known before any record is read.
for i in $(seq 1 5); do echo "{\"id\":$i,\"text\":\"a text of some words $i\"}"; done > in.jsonl
lm-tag -q -T gopher_v1 in.jsonl -o tagged.jsonl.zst
lm-mix --where 'score("gopher_v1.word_cout") > 1' tagged.jsonl.zst -o out.jsonl; echo "status $?"
lm-cat tagged.jsonl.zst | lm-mix --where 'score("gopher_v1.word_cout") > 1' -z none - | wc -c; echo "status ${PIPESTATUS[*]}"
lm-mix --where 'score("gopher_v1.word_cout") > 1' --allow-missing gopher_v1.word_cout tagged.jsonl.zst -z none | wc -l
# Named in the header is enough, in attribute files too.
lm-tag -q --no-declare -T gopher_v1 in.jsonl -o bare.jsonl.zst
lm-mix --drop 'has("gopher_v1.symbol_to_word_ratio") and count("gopher_v1.symbol_to_word_ratio") > 5' -z none bare.jsonl.zst | wc -l
zstd -q in.jsonl; lm-tag -q -T gopher_v1 --sidecar side in.jsonl.zst
lm-mix --sidecar side/gopher_v1 --where 'score("gopher_v1.word_cout") > 1' in.jsonl.zst -o out.jsonl; echo "status $?"
[ ! -e out.jsonl ] && echo "there is no output"
