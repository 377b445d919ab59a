"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m.1
long=$(seq 500 | tr '\n' ' ')
printf '%s\n' '{"id":"a","text":"in the end"}' "{\"id\":\"w\",\"text\":\"$long\"}" '{"id":"e","text":""}' \
  '{"id":"s","text":"in</s>the"}' '{"id":"u","text":"\u00e9\u4e16\u754c \ud83d\ude00"}' > in.jsonl
# the numbers are those of lm-decode score, to the last digit
both() {
  lm-ppl-filter -m m.1 --name n "$@" -z none in.jsonl | jq -c '[.id, (.attributes |
    if .lm_ppl__n__ppl == [] then 0, null, null, null else .lm_ppl__n__tokens[0][2], .lm_ppl__n__nll[0][2], .lm_ppl__n__ppl[0][2], .lm_ppl__n__bpb[0][2] end)]' > got
  lm-decode score -m m.1 "$@" -z none in.jsonl | jq -c '[.id, (.score |
    if .tokens == 0 then 0, null, null, null else .tokens, -.sum, .ppl, .bits_per_byte end)]' > want
  cmp got want && echo "same $*"
}
both
both --window 20
both --window 20 --stride 3
both --window 20 --stride 20
both --no-bos
both --special text
# the name of a folder is whole; the stream says what scored, not where it lies
lm-ppl-filter -m ./m.1/ in.jsonl -o a.zst; zstd -dc a.zst | head -n 1 | jq -c '.attributes | keys'
mkdir sub; cp -r m.1 sub/m.1; lm-ppl-filter -m sub/m.1 in.jsonl -o b.zst; cmp a.zst b.zst
cd m.1; lm-ppl-filter -m . ../in.jsonl -o ../c.zst; cd ..; cmp a.zst c.zst
lm-cat --header a.zst | jq -c '.params | (.scorer | sub("[0-9a-f]{32} [0-9a-f]{64}"; "...")), has("model"), has("batch"), .["max-tokens"]'
# a run folder points to its latest model
mkdir run; ln -s ../m.1 run/latest; lm-ppl-filter -m run/latest --name m_1 in.jsonl -o d.zst; zstd -dc d.zst | cmp - <(zstd -dc a.zst)
# nothing depends on threads, batches, memory, or records nearby
for how in '-t 1 --batch 1 --chunk 7' '-t 2 --batch 3 --memory 16M' '-t 7 --batch 64 --flush latency'; do
  lm-ppl-filter -m m.1 $how in.jsonl -o got.jsonl; zstd -dc a.zst | cmp - got.jsonl && echo "same $how"
done
tac in.jsonl | lm-ppl-filter -m m.1 | zstd -dc | tac | cmp - <(zstd -dc a.zst) && echo 'same backwards'
# the head, or places of a longer text
lm-ppl-filter -m m.1 --name n --max-tokens 60 -z none in.jsonl | jq -c '[.id, .attributes.lm_ppl__n__tokens]'
lm-ppl-filter -m m.1 --name n --max-tokens 60 --probe 3 -z none in.jsonl | jq -c 'select(.id == "w") | .attributes.lm_ppl__n__tokens'
