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
lm-decode -m other --resume state.jsonl in.jsonl -o no.jsonl; echo "status $?"
lm-decode -m m --max-tokens 8 --resume state.jsonl in.jsonl -o no.jsonl; echo "status $?"
lm-decode -m m --max-tokens 9 --seed 1 --resume state.jsonl in.jsonl -o no.jsonl; echo "status $?"
jq -c '.params.dtype = "bf16"' state.jsonl > half.jsonl
lm-decode -m m --max-tokens 9 --device cpu --resume half.jsonl in.jsonl -o no.jsonl; echo "status $?"
# what a run with bf16 wrote is input like any other
lm-decode -m m --device cpu half.jsonl -z none | jq -c '[.error, .params.dtype]' | sort -u
jq -c '{id, text: .prompt}' in.jsonl > text.jsonl
lm-decode score -m m --device cpu text.jsonl -o scores.jsonl
jq -c '.lm.dtype = "bf16"' scores.jsonl > half.jsonl
lm-decode score -m m --device cpu --resume half.jsonl text.jsonl -o no.jsonl; echo "status $?"
lm-decode score -m m --device cpu --resume scores.jsonl text.jsonl -o got.jsonl; cmp scores.jsonl got.jsonl && echo same
# ids that stand twice cannot be told apart
printf '%s\n' '{"id":"a","prompt":"x"}' '{"id":"b","prompt":"y"}' '{"id":"a","prompt":"z"}' > twice.jsonl
lm-decode -m m --max-tokens 3 twice.jsonl -o once.jsonl
lm-decode -q -m m --max-tokens 3 --resume once.jsonl twice.jsonl -z none | jq -c '[.id, .prompt, .error.code]'
lm-decode -q -m m --max-tokens 3 --resume once.jsonl twice.jsonl -z none | head -n 2 | cmp - <(head -n 2 once.jsonl) && echo same
