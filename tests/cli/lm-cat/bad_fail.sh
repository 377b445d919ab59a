printf '{"id":"a"}\n{"id":"b",}\n{"id":"c"\n' >in.jsonl
lm-cat -z none in.jsonl -o out
echo "status $?"; ls -A
