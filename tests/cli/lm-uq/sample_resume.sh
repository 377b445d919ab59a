"$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-model m
for i in $(seq 20); do printf '{"id":"r%d","prompt":"the %d","perturb":[{"prompt":"a %d"}]}\n' $i $i $i; done > in.jsonl
ask() { lm-uq sample -m m --max-tokens 5 -n 2 --answers 2 "$@"; }
ask in.jsonl -o want.jsonl
ask -z none in.jsonl | head -n 7 > state.jsonl
ask --resume state.jsonl --report r.json in.jsonl -o got.jsonl; cmp want.jsonl got.jsonl && echo same
jq -c '.metrics.throughput | [.records, .reused_records, .answers]' r.json
echo 'another number of samples makes them again'
ask -n 3 --resume state.jsonl --report r.json in.jsonl -o got.jsonl
jq -c '.metrics.throughput | [.records, .reused_records]' r.json
echo 'stopped while it waits for input'
mkfifo in out
lm-uq sample -m m --max-tokens 5 -n 2 --answers 2 --resume stopped.jsonl -z none <in >out & pid=$!
exec 3>in 4<out
head -n 6 in.jsonl >&3
for i in $(seq 6); do read -r line <&4; done
kill -TERM $pid
while [ ! -e stopped.jsonl ]; do kill -0 $pid 2>/dev/null || break; done
exec 3>&-
wait $pid; echo "status $?"
wc -l < stopped.jsonl
ask --resume stopped.jsonl in.jsonl -o got.jsonl; cmp want.jsonl got.jsonl && echo same
