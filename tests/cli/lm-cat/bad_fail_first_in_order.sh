# The first bad record in stream order is reported, whatever the number of threads.
{ seq -f '{"n":%g}' 60000; echo '{"n":'; seq -f '{"n":%g}' 60000; echo 'x'; } >in.jsonl
for t in 1 2 7; do lm-cat -t $t -z none in.jsonl -o out; done
