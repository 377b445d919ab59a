# A run that fails before its first checkpoint leaves no folder, unless it was there.
printf '%s\n' '{"input_ids":[1,2,3]}' > short.jsonl
m='--arch llama --layers 1 --width 8 --heads 2 --seq-len 4 --batch 2 --steps 2 --vocab 16'
lm-train $m -o new short.jsonl; echo "status $?"
mkdir there
lm-train $m -o there short.jsonl; echo "status $?"
ls -A
ls -A there
