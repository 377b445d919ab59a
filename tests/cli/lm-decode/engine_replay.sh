# What was recorded of a model is replayed to the byte, for any batch and options of how.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
cat > in.jsonl <<'R'
{"id":"a","prompt":"in the"}
{"id":"b","prompt":"the end","params":{"n":3,"max_tokens":4}}
{"id":"c","prompt":"in the","regex":"(in|the) [a-z]{2}"}
{"id":"d","messages":[{"role":"user","content":"the end"}]}
{"id":"e","prompt":"in the","choices":["yes","no"],"params":{"temperature":0}}
R
texts() { zstd -dcf "$1" | jq -c '[.id, .error.code, .completions[]?.text, .completions[]?.finish_reason]'; }
lm-decode -m m --max-tokens 12 --record rec.jsonl in.jsonl -o recorded.jsonl
# of a model that answers, texts are those of the run without --record
grep -v '"d"' in.jsonl > prompts.jsonl
lm-decode -m m --max-tokens 12 prompts.jsonl -o native.jsonl
lm-decode --engine local:m --max-tokens 12 prompts.jsonl -o local.jsonl && cmp native.jsonl local.jsonl && echo "the same folder"
texts native.jsonl > native; texts recorded.jsonl | grep -v '"d"' | cmp - native && echo "the same texts"
wc -l < rec.jsonl; jq -c 'keys' rec.jsonl | sort -u
for how in '--batch 1' '--batch 3 -t 1' ''; do
  lm-decode --engine replay:rec.jsonl $how --max-tokens 12 in.jsonl -o replayed.jsonl
  texts replayed.jsonl > got; texts recorded.jsonl | cmp - got && echo "same $how"
done
# other parameters were not recorded
lm-decode --engine replay:rec.jsonl --max-tokens 13 -z none in.jsonl 2>/dev/null | jq -c '[.id, .error.code]'
lm-decode --engine replay:rec.jsonl --max-tokens 13 --strict-script in.jsonl -o none.jsonl 2>&1 | tail -n 1
# a torn end does not count
head -c -20 rec.jsonl > torn.jsonl
lm-decode --engine replay:torn.jsonl --max-tokens 12 -z none in.jsonl 2>/dev/null | jq -c '[.id, .error.code]' | tail -n 2
# a run that goes on keeps what was recorded before
head -n 2 recorded.jsonl > old.jsonl; head -n 2 rec.jsonl > rest.jsonl
lm-decode -m m --max-tokens 12 --resume old.jsonl --record rest.jsonl in.jsonl -o again.jsonl
cmp again.jsonl recorded.jsonl && cmp rest.jsonl rec.jsonl && echo "as if undisturbed"
# what is recorded is no input
lm-decode -m m --record in.jsonl in.jsonl; echo "status $?"
lm-decode --engine replay:rec.jsonl --record rec.jsonl in.jsonl; echo "status $?"
