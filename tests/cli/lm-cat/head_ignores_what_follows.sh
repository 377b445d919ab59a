# Nothing behind the cut is judged: neither bad records nor a missing end; nor is it counted, so the
# output does not depend on how far ahead the threads have read.
{ printf '{"n":1}\n{"n":2}\n{"n":\n'; } >bad.jsonl
lm-cat -z none -n 2 bad.jsonl
seq -f '{"n":%.0f}' 3000000 >in.jsonl
lm-cat -z stored in.jsonl | head -c 9000000 >cut.zst
for t in 1 2 7; do lm-cat -t $t -z none -n 2 cut.zst; done
for t in 1 2 7; do lm-cat -t $t -n 500000 in.jsonl -o $t.zst; cmp 1.zst $t.zst; done
