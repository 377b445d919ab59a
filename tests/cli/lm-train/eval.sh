# Held-out loss, bits per byte, the best checkpoint; starting from a finished model.
awk 'BEGIN { for (i = 0; i < 200; ++i) { printf "{\"text\":\""; for (j = 0; j < 12; ++j) printf "%d ", (i % 7 + j) % 10; print "\"}" } }' > docs.jsonl
lm-tokenize train -n 256 docs.jsonl -o tok.json
lm-tokenize pack -m tok.json docs.jsonl -o data
lm-cat --head 20 --compress none docs.jsonl | lm-tokenize pack -m tok.json -o held
o='--data data.json --eval-data held.json --tokenizer tok.json --seq-len 16 --batch 8'
lm-train $o --arch llama --layers 1 --width 16 --heads 2 --steps 60 --lr 1e-2 --eval-every 20 --keep-best --save-every 0 -o run --report r.json
jq -c 'select(.eval_loss) | [.step, .eval_targets, (.eval_bpb * (2 | log) - .eval_loss | fabs) < 1e-9, .eval_loss < 4]' run/metrics.jsonl
jq -c '[.status, .metrics.steps, .metrics.tokens, .metrics.eval_loss < 1.5]' r.json
cat run/best
jq -c '.params["data"] | length' run/final/training.json
lm-train $o --init-from run/final --steps 2 --doc-mask -o more
jq -c 'select(.step == 1 and .loss) | .loss < 2' more/metrics.jsonl
ls more/final
lm-train $o --init-from run/final --width 8 --steps 2 -o other; echo "status $?"
