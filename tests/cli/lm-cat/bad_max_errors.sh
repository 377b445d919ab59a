{ seq -f '{"n":%g}' 20; echo '{'; echo '{'; echo '{'; } >in.jsonl
lm-cat -q -z none --on-error skip --max-errors 3 in.jsonl | wc -l
lm-cat -q -z none --on-error skip --max-errors 2 in.jsonl -o out; echo "status $?"
lm-cat -q -z none --on-error skip --max-errors 50% in.jsonl | wc -l
lm-cat -q -z none --on-error skip --max-errors 5% in.jsonl -o out; echo "status $?"
ls -A
