# A checkpoint that does not fit: status 74, the one before stays, and the run goes on later.
awk 'BEGIN { for (i = 0; i < 200; ++i) { printf "{\"input_ids\":[%d", i % 64; for (j = 1; j < 20; ++j) printf ",%d", (i + j * j) % 64; print "]}" } }' > ids.jsonl
o='--arch llama --layers 1 --width 32 --heads 2 --vocab 64 --seq-len 16 --batch 4 --steps 10 --save-every 4'
lm-train $o -o whole ids.jsonl
lm-train $o --steps 10 --keep 0 -o run ids.jsonl
rm -r run/final run/step-00000008 run/step-00000010
echo step-00000004 > run/latest
(trap '' XFSZ; ulimit -f 40; lm-train $o -o run ids.jsonl; echo "status $?")
ls -A run
cat run/latest
lm-train $o -o run ids.jsonl
cmp whole/final/model.safetensors run/final/model.safetensors
