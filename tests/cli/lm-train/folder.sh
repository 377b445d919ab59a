# -o takes a new folder, an empty one, or that of a run; in any other nothing is written. A run's folder
# is no model, but says where its model is.
seq 1 200 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
o='--arch gpt2 --layers 1 --width 16 --heads 2 --vocab 8 --seq-len 8 --batch 4 --steps 2'
mkdir notes model empty
echo mine > notes/todo.txt
echo {} > model/config.json
for out in notes model ids.jsonl empty run run; do
  lm-train $o -o $out ids.jsonl; echo "status $?"
done
ls -A notes model empty
rm run/.lock run/metrics.jsonl run/final
lm-train $o -o run ids.jsonl; echo "status $?"
ls -A run
try() { lm-train "$@"; echo "status $?"; }
try --init-from run --seq-len 8 --steps 1 -o more ids.jsonl
rm -r run/final
try --init-from run --seq-len 8 --steps 1 -o more ids.jsonl
try --init-from notes --seq-len 8 --steps 1 -o more ids.jsonl
ls
