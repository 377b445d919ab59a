mkdir -p data/documents/web/en
printf '%s\n' '{"id":"a","source":"s","text":"One two three."}' '' '{"text":"four","id":12.50}' > data/documents/web/en/x.jsonl
printf '%s\n' '{"id":"b","text":"{"}' | lm-cat -o data/documents/web/y.jsonl.zst
: > data/documents/none.jsonl
lm-tag -T c4_v1,gopher_v2 -q --no-declare --sidecar data/attributes data/documents/web/en/x.jsonl data/documents/none.jsonl data/documents/web/y.jsonl.zst
find data -type f | sort
cat data/attributes/c4_v1/web/en/x.jsonl
zstd -dcq data/attributes/c4_v1/web/y.jsonl.zst
lm-cat --check data/attributes/gopher_v2/web/y.jsonl.zst && echo complete
echo 'one experiment, one file; the same rows as inside the records'
lm-tag -T c4_v1,gopher_v2 -q --experiment e --sidecar side data/documents/web/en/x.jsonl
lm-tag -T c4_v1,gopher_v2 -q --experiment e -z none data/documents/web/en/x.jsonl | jq -c .attributes > inline.txt
jq -c .attributes side/e/web/en/x.jsonl | cmp - inline.txt && echo same
echo 'row by row'
seq 30000 | awk '{ printf "{\"id\":\"d%d\",\"text\":\"%d words of a text number %d.\"}\n", $1, $1 % 7, $1 }' > big.jsonl
for t in 1 2 7; do
  rm -rf out; lm-tag -T gopher_v1 -q --sidecar out -t $t big.jsonl
  jq -r .id out/gopher_v1/big.jsonl | cmp - <(jq -r .id big.jsonl) && cksum < out/gopher_v1/big.jsonl
done
