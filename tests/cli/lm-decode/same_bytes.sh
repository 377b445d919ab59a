"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
for i in $(seq 40); do
  printf '{"id":"r%d","prompt":"%s in the %d","params":{"n":%d,"temperature":%d,"max_tokens":%d}}\n' $i "$(printf '%*s' $((i % 17)) x)" $i $((i % 3 + 1)) $((i % 2)) $((i % 30 + 1))
done > in.jsonl
lm-decode -m m -t 1 --batch 1 --chunk 7 --logprobs --tokens in.jsonl -o want.jsonl
for how in '-t 1 --batch 4 --chunk 512' '-t 2 --batch 16 --chunk 7' '-t 7 --batch 64 --memory 2M'; do
  lm-decode -m m $how --logprobs --tokens in.jsonl -o got.jsonl; cmp want.jsonl got.jsonl && echo same
done
# order by id, halves, pipes
shuf --random-source=<(yes) in.jsonl | lm-decode -m m --logprobs --tokens | zstd -dc | sort > got.jsonl
sort want.jsonl | cmp - got.jsonl && echo same
{ head -n 20 in.jsonl | lm-decode -m m --logprobs --tokens -z none; tail -n 20 in.jsonl | lm-decode -m m --logprobs --tokens -z none; } > got.jsonl
cmp want.jsonl got.jsonl && echo same
