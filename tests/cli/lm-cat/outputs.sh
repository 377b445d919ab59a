printf '{"a":1}\n' >in
lm-cat in -o plain.jsonl && cat plain.jsonl
lm-cat in -o c.zst && zstd -dcq c.zst
lm-cat in -o /dev/null; echo "$?"
lm-cat in -o missing/out; echo "$?"
lm-cat in -o .; echo "$?"
mkfifo p; cat p >got & lm-cat in -z none -o p; wait; cat got
(umask 027; lm-cat in -o masked; stat -c %a masked)
lm-cat in --no-rename --no-sync -o inplace && cat inplace
