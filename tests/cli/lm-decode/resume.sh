"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
for i in $(seq 30); do printf '{"id":"r%d","prompt":"the %d"}\n' $i $i; done > in.jsonl
lm-decode -m m --max-tokens 9 in.jsonl -o want.jsonl
# a run that was cut in the middle of a line
head -c 9000 want.jsonl > cut.jsonl
lm-decode -m m --max-tokens 9 --resume cut.jsonl in.jsonl -o got.jsonl; cmp want.jsonl got.jsonl && echo same
lm-decode -m m --max-tokens 9 --resume absent.jsonl in.jsonl -o got.jsonl; cmp want.jsonl got.jsonl && echo same
# stopped while it waits for input
mkfifo in out
lm-decode -m m --max-tokens 9 --resume state.jsonl -z none <in >out & pid=$!
exec 3>in 4<out
head -n 12 in.jsonl >&3
for i in $(seq 12); do read -r line <&4; done
kill -TERM $pid
while [ ! -e state.jsonl ]; do kill -0 $pid 2>/dev/null || break; done
exec 3>&-
wait $pid; echo "status $?"
wc -l < state.jsonl
lm-decode -m m --max-tokens 9 --resume state.jsonl in.jsonl -o got.jsonl; cmp want.jsonl got.jsonl && echo same
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model other 2
# what was made otherwise is made again: another model, other options, another type
resumed() { "$@" -o want.jsonl && "$@" --resume "$state" -o got.jsonl; echo "status $?"; cmp want.jsonl got.jsonl && echo same; }
state=state.jsonl
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model other 2
resumed lm-decode -m other --max-tokens 9 in.jsonl
resumed lm-decode -m m --max-tokens 8 in.jsonl
resumed lm-decode -m m --max-tokens 9 --seed 1 in.jsonl
# what a run with bf16 wrote is input like any other
jq -c '.params.dtype = "bf16"' state.jsonl > half.jsonl
lm-decode -m m --device cpu half.jsonl -z none | jq -c '[.error, .params.dtype]' | sort -u
# the report of a resumed run counts all records
jq -c '{id, text: .prompt, source: (.id | length)}' in.jsonl > text.jsonl
lm-decode score -m m --group source --report whole.json text.jsonl -o scores.jsonl
head -n 13 scores.jsonl > some.jsonl
lm-decode score -m m --group source --report rest.json --resume some.jsonl text.jsonl -o got.jsonl; cmp scores.jsonl got.jsonl && echo same
jq -c '.metrics | .total, .groups' whole.json > whole; jq -c '.metrics | .total, .groups' rest.json | cmp - whole && echo same
# ids that stand twice: the input line tells them apart
printf '%s\n' '{"id":"a","prompt":"x"}' '{"id":"b","prompt":"y"}' '{"id":"a","prompt":"z"}' '{"id":"a","prompt":"x"}' '{"prompt":"x"}' > twice.jsonl
lm-decode -m m --max-tokens 3 twice.jsonl -o once.jsonl
lm-decode -m m --max-tokens 3 --resume once.jsonl twice.jsonl -o got.jsonl; cmp once.jsonl got.jsonl && echo same
# a file of other things would be replaced on a stop: refused, as is an input
printf 'notes\n' > notes.txt
head -c 100 want.jsonl > begun.jsonl
for f in in.jsonl text.jsonl notes.txt begun.jsonl; do
  lm-decode -m m --max-tokens 9 --resume $f in.jsonl -o got.jsonl; echo "status $?"
done
wc -l < in.jsonl
