# A limit is said as it was written, and as many bad records as the limit allows are not too many.
{ seq -f '{"n":%g}' 71; yes '{' | head -n 29; } >in.jsonl
lm-cat -q -z none --on-error skip --max-errors 29% in.jsonl | wc -l
for limit in 7 28.5 0.07; do
  lm-cat -q -z none --on-error skip --max-errors "$limit%" in.jsonl -o out
done
