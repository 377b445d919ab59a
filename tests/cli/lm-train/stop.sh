# SIGTERM while the stream gives nothing more, and again when its writer has died: status 75 with the
# steps so far; the end has the bytes of an undisturbed run.
awk 'BEGIN { for (i = 0; i < 1200; ++i) { printf "{\"input_ids\":[%d", i % 64; for (j = 1; j < 20; ++j) printf ",%d", (i + j * j) % 64; print "]}" } }' > ids.jsonl
o='--arch llama --layers 1 --width 16 --heads 2 --vocab 64 --seq-len 16 --batch 4 --steps 300'
lm-train $o -o whole ids.jsonl
mkfifo src mid
for records in 300 600; do
  lm-cat --flush latency src > mid & cat=$!
  lm-train $o -o run mid 2> err & pid=$!
  exec 7> src
  head -n $records ids.jsonl >&7
  # 256 records go out at once, the rest after a second.
  until [ -e run/metrics.jsonl ] && [ "$(wc -l < run/metrics.jsonl)" -ge $((records / 4)) ] || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done
  kill -TERM $pid
  wait $pid; echo "status $?"
  sed -E 's/step [0-9]+ of/step N of/; s/step-[0-9]+/step-N/' err
  exec 7>&-
  wait $cat; echo "lm-cat $?"
done
lm-train $o -o run ids.jsonl
for f in model.safetensors state/state.json state/optimizer-00001-of-00001.safetensors training.json; do
  cmp whole/final/$f run/final/$f
done
jq -r .step run/metrics.jsonl | cmp - <(seq 300)
