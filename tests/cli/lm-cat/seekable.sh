seq -f '{"n":%g,"text":"some text to fill four mebibyte frames"}' 200000 >in.jsonl
lm-cat in.jsonl --seekable -o seek.zst
lm-cat in.jsonl -o one.zst
zstd -dcq seek.zst | cmp - in.jsonl && zstd -dcq one.zst | cmp - in.jsonl && echo same
lm-cat --compare seek.zst one.zst && echo equal
lm-cat --check seek.zst one.zst | cut -d: -f2 | cut -d, -f1,2
lm-cat seek.zst -o again.zst && lm-cat --compare again.zst one.zst && echo equal
lm-cat --seekable -z stored in.jsonl | cat
