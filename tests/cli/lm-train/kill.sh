# kill -9 at several moments, then SIGTERM: the end has the bytes of an undisturbed run.
awk 'BEGIN { for (i = 0; i < 400; ++i) { printf "{\"text\":\""; for (j = 0; j < 30; ++j) printf "%d ", (i * j) % 97; print "\"}" } }' > docs.jsonl
lm-tokenize train -n 300 docs.jsonl -o tok.json
lm-tokenize pack -m tok.json docs.jsonl -o data
o='--arch llama --layers 1 --width 16 --heads 2 --seq-len 16 --batch 4 --steps 40 --save-every 2 --keep 2 --data data.json --tokenizer tok.json'
lm-train $o -o whole
for lines in 3 4 9; do
  lm-train $o -o run & pid=$!
  until [ -e run/metrics.jsonl ] && [ "$(wc -l < run/metrics.jsonl)" -ge $lines ] || ! kill -0 $pid 2>/dev/null; do :; done
  kill -9 $pid 2>/dev/null
  wait $pid 2>/dev/null
done
rm -rf run/final
lm-train $o -o run
for f in model.safetensors state/state.json state/optimizer-00001-of-00001.safetensors tokenizer.json; do
  cmp whole/final/$f run/final/$f
done
ls -A run
jq -r .step run/metrics.jsonl | cmp - <(seq 40)
