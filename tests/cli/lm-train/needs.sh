# An option that needs another one is refused without it, not ignored.
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"text\":\""; for (j = 0; j < 12; ++j) printf "%d ", (i % 7 + j) % 10; print "\"}" } }' > docs.jsonl
lm-tokenize train -q -n 257 --special-token '<a>' docs.jsonl -o tok.json
lm-tokenize pack -q -m tok.json docs.jsonl -o data
lm-tokenize -m tok.json docs.jsonl -z none -o ids.jsonl
m='--arch llama --layers 1 --width 8 --heads 2 --batch 2 --steps 2'
try() { lm-train "$@"; echo "status $?"; }
for option in --keep-best '--eval-every 1' '--eval-tokens 9' '--ids-field x' '--loss-on all' --no-eos '--decay-share 0.5' '--too-long truncate' \
    '--schedule constant --lr-floor 0.5' '--tokens 9' '--batch-tokens 9' '--order shuffle' '--prompt-field x'; do
  data='--data data.json'
  [ "$option" != '--order shuffle' ] || data='--vocab 257 ids.jsonl'
  echo "$option"; try $m --seq-len 4 $data $option -o run
done
# in a settings file too, but not what --print-config writes
printf '[lm-train]\nkeep-best = true\n' > run.toml
try $m --seq-len 4 --data data.json --config run.toml -o run
lm-train $m --seq-len 4 --data data.json -o run --print-config > all.toml
try --config all.toml
# sequences are no longer than what the model says it can read
try $m --seq-len 16 --context 8 --data data.json -o run2
try --init-from run/final --seq-len 8 --steps 1 --data data.json -o run2
# nothing to extend
try $m --seq-len 4 --data data.json --extend -o run2
try $m --seq-len 4 --data data.json --extend -o run
ls -d run2
