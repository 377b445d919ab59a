# A learning rate that blows up: the step is named, the checkpoint before it stays.
awk 'BEGIN { for (i = 0; i < 200; ++i) { printf "{\"input_ids\":[%d", i % 64; for (j = 1; j < 20; ++j) printf ",%d", (i + j * j) % 64; print "]}" } }' > ids.jsonl
o='--arch gpt2 --layers 1 --width 16 --heads 2 --vocab 64 --seq-len 16 --batch 4 --steps 40 --save-every 1 --keep 1 --lr 99 --weight-decay 100 --warmup 0 --schedule constant'
lm-train $o -o run ids.jsonl 2> err; echo "status $?"
sed -E 's/step [0-9]+: loss [^,]+, gradient norm [^,]+,/step N: loss X, gradient norm X,/' err
step=$(sed -nE 's/.*step ([0-9]+): loss.*/\1/p' err)
[ "$(cat run/latest)" = "$(printf 'step-%08d' $((step - 1)))" ] && echo "last good checkpoint kept"
lm-train $o --on-nan skip -o skip ids.jsonl 2> err; echo "status $?"
grep -c 'update skipped' err
grep -o '(10 steps in a row)' err
lm-train $o --check nan -o check ids.jsonl 2> err; echo "status $?"
sed -E 's/.*(step [0-9]+: ).*/\1/; s/[0-9]+/N/' err
