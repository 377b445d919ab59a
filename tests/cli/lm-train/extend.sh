# More steps for a finished run: the bytes of a run that had them from the start, as far as the schedule
# has the same values; what cannot be extended says so.
awk 'BEGIN { for (i = 0; i < 200; ++i) { printf "{\"input_ids\":[%d", i % 64; for (j = 1; j < 20; ++j) printf ",%d", (i + j * j) % 64; print "]}" } }' > ids.jsonl
m='--arch llama --layers 1 --width 16 --heads 2 --vocab 64 --seq-len 16 --batch 4 --dropout 0.1 --save-every 4'
same() { for f in model.safetensors state/optimizer-00001-of-00001.safetensors; do cmp "$1/final/$f" "$2/final/$f"; done; }
try() { lm-train "$@" ids.jsonl; echo "status $?"; }
for schedule in constant wsd-linear inverse-sqrt; do
  o="$m --schedule $schedule --warmup 2"
  lm-train $o --steps 20 -o whole-$schedule ids.jsonl
  lm-train $o --steps 10 --keep 0 -o $schedule ids.jsonl
  try $o --steps 20 -o $schedule
  try $o --steps 20 --extend -o $schedule
  same whole-$schedule $schedule
  ls $schedule
  jq -r .step $schedule/metrics.jsonl | cmp - <(seq 20)
  cmp whole-$schedule/final/state/state.json $schedule/final/state/state.json
  # done already, with and without
  try $o --steps 20 --extend -o $schedule
  try $o --steps 20 -o $schedule
  try $o --steps 10 --extend -o $schedule
done
# The warm-up is the run's own, also for what goes on after a stop.
o="$m --schedule inverse-sqrt"
cat ids.jsonl ids.jsonl ids.jsonl ids.jsonl > long.jsonl
lm-train $o --tokens 6400 -o own long.jsonl
lm-train $o --tokens 12800 --extend -o own long.jsonl; echo "status $?"
lm-train $o --tokens 12800 --extend -o own long.jsonl; echo "status $?"
jq -r '.lr' own/metrics.jsonl | sed -n '2p;200p'
lm-train $o --tokens 14080 --lr 1e-3 --extend -o own long.jsonl; echo "status $?"
# A decay with nothing left from before it goes on, with a warning.
lm-train $m --schedule wsd-sqrt --steps 10 --save-every 0 -o late ids.jsonl
try $m --schedule wsd-sqrt --steps 20 --save-every 0 --extend -o late
# Cosine has no continuation.
lm-train $m --steps 4 -o cosine ids.jsonl
try $m --steps 8 -o cosine
try $m --steps 8 --extend -o cosine
cat cosine/latest
# Without a run there is nothing to extend.
try $m --schedule constant --steps 4 --extend -o fresh
ls -d fresh 2>/dev/null || echo 'no folder'
