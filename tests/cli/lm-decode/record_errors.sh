"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
for i in 1 2 3 4; do printf '{"id":"%d","prompt":"the %d"}\n' $i $i; done > in.jsonl
run() { lm-decode -m m --max-tokens 3 "$@" in.jsonl; }
run --record r.jsonl.zst -o out.jsonl; echo "status $?"; ls r.jsonl.zst out.jsonl 2>&1 | sed 's/.*cannot access//'
# a recording is whole or not there: answers that --resume takes over are in it
run --record r.jsonl -o all.jsonl
head -n 2 all.jsonl > old.jsonl
run --resume old.jsonl --record s.jsonl -o out.jsonl; echo "status $?"; ls s.jsonl out.jsonl 2>&1 | sed 's/.*cannot access//'
head -n 2 r.jsonl > s.jsonl
run --resume old.jsonl --record s.jsonl -o out.jsonl; echo "status $?"; cmp all.jsonl out.jsonl && cmp r.jsonl s.jsonl && echo same
# a last line that is cut does not count, and is said
head -c -9 r.jsonl > torn.jsonl
lm-decode --engine replay:torn.jsonl --max-tokens 3 in.jsonl | zstd -dcf | jq -c '.error.code'
# prompts are texts
echo '{"id":"f","tokens":[5,6]}' | lm-decode -m m --max-tokens 3 --record t.jsonl | zstd -dcf | jq -c .error
# files that a run keeps for itself are known by their begin
for how in '--draft suffix --draft-file' '--grammar-mode asap --regex a --asap-trie'; do run $how /dev/zero -o o.jsonl; echo "status $?"; done
