# A run that is stopped keeps what is finished, however few that is, though more is asked about
# every answer.
"$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-model m
for i in $(seq 40); do printf '{"id":"r%d","prompt":"the %d"}\n' $i $i; done > in.jsonl
ask() { lm-uq sample -m m --batch 2 --max-tokens 200 -n 8 --without-prompt "$@"; }
mkfifo out
lm-uq sample -m m --batch 2 --max-tokens 200 -n 8 --without-prompt --flush latency --resume stopped.jsonl -z none in.jsonl >out 2>err & pid=$!
exec 4<out
for i in 1 2 3; do read -r line <&4; done
kill -TERM $pid
cat <&4 >/dev/null
wait $pid; echo "status $?"
sed 's/[0-9][0-9]* finished/N finished/' err
n=$(wc -l < stopped.jsonl)
[ $n -ge 3 ] && [ $n -lt 40 ] && echo 'some are stored'
ask --resume stopped.jsonl --report r.json in.jsonl -o got.jsonl
jq -c --argjson n $n '.metrics.throughput | [.reused_records == $n, .records == 40 - $n]' r.json
ask in.jsonl -o want.jsonl; cmp want.jsonl got.jsonl && echo same
