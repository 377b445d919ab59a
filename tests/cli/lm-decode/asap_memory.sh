# What samples of asap learn is inside --memory: texts are the same in less, a file keeps what a quarter of it holds
# and says what it does not, and what does not fit at all is refused.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
for i in $(seq 12); do jq -nc --argjson i "$i" '{id: "r\($i)", prompt: "the", regex: "[a-z]{\($i),40}"}'; done > in.jsonl
run() { lm-decode -m m --max-tokens 60 --samples 60 --regex '[a-z]+' --grammar-mode asap "$@" in.jsonl; }
run -o want.jsonl
run -t 1 --batch 1 --asap-trie all --report all.json -o got.jsonl && cmp want.jsonl got.jsonl && echo same
jq -c '.metrics.asap_trie | [.bytes > 3.5e6, .unkept_records]' all.json
for threads in 1 2; do
  run -t $threads --memory 12M --asap-trie part$threads --report part.json -o got.jsonl 2>err && cmp want.jsonl got.jsonl && echo same
  sed 's/[0-9.]* [KM]iB/N/; s/"r[0-9]*"/R/' err
  jq -c '.metrics.asap_trie | [.bytes <= 3145728, .unkept_records >= 1 and .unkept_records < 6]' part.json
done
cmp part1 part2 && echo "the same file"
# what is kept is used
run --asap-trie part1 --memory 40M -o later.jsonl 2>/dev/null; jq -c '.completions[0].asap.root_mass < 1' later.jsonl | head -n 1
# no room
run --memory 12M --asap-trie all -o none.jsonl 2>err; echo "status $?"; sed 's/[0-9.]* [KM]iB/N/g; s/[0-9]*M/N/' err
jq -nc '{id: "long", prompt: "the"}' > in.jsonl
run --memory 3M --samples 4000 -o none.jsonl 2>err; echo "status $?"; sed 's/[0-9.]* [KM]iB/N/g; s/[0-9]*M/N/' err
