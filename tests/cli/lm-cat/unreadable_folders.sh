# What may not be read is 77 with our words, in every program. Root gives up its rights for it.
less=()
if [ "$(id -u)" = 0 ]; then
  less=(setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search)
  "${less[@]}" true 2> /dev/null || { echo 'SKIP root may not give up its rights'; exit 77; }
fi
drop() {
  "${less[@]}" "$@"
  echo "status $?"
}
mkdir d e; chmod 000 d
echo '{"text":"a","prompt":"a"}' > in.jsonl
drop lm-cat d/x
drop lm-cat in.jsonl -o d/out
drop lm-tokenize -m d in.jsonl
drop lm-tokenize -m d/x in.jsonl
drop lm-decode -m d in.jsonl
drop lm-embed -m d in.jsonl
drop lm-train --arch llama --vocab 9 --steps 1 --data d -o run
drop lm-train --arch llama --vocab 9 --steps 1 --data d/x.json -o run
drop lm-train --init-from d --steps 1 -o run in.jsonl
drop lm-eval compare d e
drop lm-ppl-filter -m d in.jsonl
drop lm-ppl-filter -m d/x in.jsonl
ls
chmod 700 d
