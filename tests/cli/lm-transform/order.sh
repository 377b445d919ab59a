# What a record gets does not depend on threads, batches, neighbours or shards.
awk 'BEGIN { srand(3); split("the cat of Rome is in a hat, and Bob saw 5 km", w, " ")
  for (i = 0; i < 3000; ++i) { s = ""; for (j = 0; j < 40; ++j) s = s w[1 + int(rand() * 12)] (rand() < 0.1 ? ". " : " "); printf "{\"id\":\"r%d\",\"text\":\"%s\"}\n", i, s } }' > in.jsonl
lm-cat --seekable in.jsonl -o in.zst
for verb in permute 'infill --min-tokens 4' 'noise --noise typo+append_irr'; do
  lm-transform $verb -t 1 -z none in.jsonl > whole
  lm-transform $verb -t 3 -z none in.zst | cmp - whole
  tail -n 100 in.jsonl | lm-transform $verb -z none | cmp - <(tail -n 100 whole)
  lm-transform $verb --seed 1 -z none in.jsonl | cmp -s - whole || echo "$verb: another seed, another text"
  lm-transform $verb --epoch 1 -z none in.jsonl | jq -c .text | cmp -s - <(jq -c .text whole) || echo "$verb: another epoch, another text"
done
