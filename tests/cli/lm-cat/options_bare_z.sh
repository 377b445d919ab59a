printf '{"a":1}\n' >in
lm-cat -z in | zstd -dcq
lm-cat -z in | od -An -tx1 -N 4
lm-cat -z none in
lm-cat -znone in
lm-cat -z in -o out.jsonl && zstd -dc <out.jsonl
