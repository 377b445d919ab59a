# One thread and two, a file and a pipe: equal models.
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"id\":\"%d\",\"input_ids\":[%d", i, i % 16; for (j = 1; j < 5 + i % 40; ++j) printf ",%d", (i + j * j) % 16; print "]}" } }' > ids.jsonl
o='--arch gpt2 --layers 1 --width 16 --heads 2 --vocab 16 --seq-len 16 --batch 4 --steps 12 --save-every 5 --dropout 0.1'
lm-train $o -t 1 -o a ids.jsonl
lm-train $o -t 2 -o b < ids.jsonl
lm-cat --compress stored ids.jsonl | lm-train $o -o c
for f in model.safetensors state/state.json state/optimizer-00001-of-00001.safetensors training.json; do
  cmp a/final/$f b/final/$f
  cmp a/final/$f c/final/$f
done
ls a a/final
cat a/latest
jq -c '[.step, .tokens, (.loss > 1), (.grad_norm > 0), (.ms > 0)]' a/metrics.jsonl | sed -n '1p;$p'
lm-train $o --resume no -o a ids.jsonl; echo "status $?"
lm-train $o --lr 1e-3 -o a ids.jsonl; echo "status $?"
lm-train $o --seed 3 -o a ids.jsonl; echo "status $?"
lm-train -v $o --report r.json -o a ids.jsonl 2>err; echo "status $?"; tail -n 1 err; jq -c .metrics r.json
