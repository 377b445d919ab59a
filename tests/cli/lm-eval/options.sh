# What a verb cannot do, it refuses; bad records follow --on-error; an item stands once a language.
"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model m
printf '{"q":"a","t":0}\n' > d.jsonl
printf '%s\n' 'task: t' 'dataset: d.jsonl' 'output_type: multiple_choice' 'doc_to_text: q' 'doc_to_target: t' 'doc_to_choice: [x, y]' > t.yaml
try() { lm-eval "$@" > out; echo "status $?"; }
for o in '--shard 1/2' '--on-error skip' '-z none' --seekable --expect-end '--max-record 1M'; do try run -m m t.yaml $o; done
try compare r s --shard 1/2
printf '{"id":%d,"lang":"eng","text":"the end","score":1}\n' 1 2 3 > p.jsonl; printf '{"id":2,"lang":"eng","text":"the thing","score":0}\n' >> p.jsonl
for v in "bpb -m m" "parity --tokenizer m" languages; do
  echo "# $v"
  for o in '-z zstd' --seekable '--flush latency' '-o out.json.zst'; do try $v $o p.jsonl; done
  try $v p.jsonl
  lm-eval $v --on-error quarantine --rejects bad.jsonl p.jsonl > out; echo "status $?"; jq -c '[.error.code, .error.line]' bad.jsonl; rm bad.jsonl
  jq -c '.languages // .score.languages // .tokenizers[0].parity.languages | .[0].n' out
  for t in 1 2 7; do lm-eval $v -q --on-error skip -t $t p.jsonl | cmp - out; done
done
echo "# choices"
sed -i 's/\[x, y\]/[]/' t.yaml; try -m m t.yaml
ls
