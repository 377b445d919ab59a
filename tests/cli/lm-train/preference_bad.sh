# Records that preferences cannot use, each with its reason; options that do not fit.
printf '{"text":"say 1: 2 3"}\n' > docs.jsonl
lm-tokenize train -q -n 262 --special-token '<|endoftext|>' docs.jsonl -o tok.json 2>/dev/null
m='--arch llama --layers 1 --width 16 --heads 2 --seq-len 12 --batch 2 --steps 1 --tokenizer tok.json'
cat > pairs.jsonl <<'J'
{"prompt":"say 1: ","chosen":"2","rejected":"3","scores":[-1,-2]}
{"prompt":"say 1: ","chosen":"2","rejected":"2","scores":[-1,-1]}
{"prompt":"say 1: ","chosen":"2","rejected":"","scores":[-1,-1]}
{"prompt":"say 1: ","rejected":"2","scores":[-1,-1]}
{"prompt":"say 1: ","chosen":"2","rejected":"a long completion","scores":[-1,-1]}
{"prompt":"say 1: ","chosen":"2","rejected":"3"}
{"prompt":"say 1: ","chosen":"2","rejected":"3","scores":[-1]}
{"prompt":"say 1: ","chosen":"2","rejected":"3","scores":-1}
{"prompt":"say 1: ","chosen":"2","rejected":"3","scores":[-1,null]}
{"prompt":"say 1: ","chosen":"2","rejected":"3","scores":[-1,"NaN"]}
{"prompt":"say 1: ","chosen":"2","rejected":"3","scores":[-1,-1e300]}
{"prompt":"say 1: ","chosen":"2","rejected":"3","scores":[-1,2]}
{"prompt":"say 1: ","chosen":"2","rejected":"3","scores":[{"sum":-1,"tokens":1},{"sum":-2,"tokens":2}]}
{"prompt":"say 1: ","prompt_ids":[1],"chosen":"2","rejected":"3","scores":[-1,-2]}
{"prompt_ids":[1],"chosen_ids":[2],"rejected":"3","scores":[-1,-2]}
{"prompt_ids":[1],"chosen_ids":[2],"rejected_ids":[999],"scores":[-1,-2]}
J
cat > labels.jsonl <<'J'
{"prompt":"say 1: ","completion":"2","label":true}
{"prompt":"say 1: ","completion":"2","label":0}
{"prompt":"say 1: ","completion":"2","label":2}
{"prompt":"say 1: ","completion":"2","label":"true"}
{"prompt":"say 1: ","completion":"2"}
{"prompt":"say 1: ","completion":"2","label":null}
{"prompt":"say 1: ","label":true}
J
cat > margins.jsonl <<'J'
{"prompt":"say 1: ","chosen":"2","rejected":"3","m":0.5}
{"prompt":"say 1: ","chosen":"2","rejected":"3","m":"x"}
{"prompt":"say 1: ","chosen":"2","rejected":"3","m":1e300}
J
try() { lm-train "$@"; echo "status $?"; }
bad() { jq -c '[.error.line, .error.code, .error.detail]' $1; }
try $m --objective dpo -o run --on-error quarantine --rejects pairs.bad pairs.jsonl 2> err
bad pairs.bad
try $m --objective unlikelihood -o run2 --on-error quarantine --rejects labels.bad labels.jsonl 2> err
bad labels.bad
try $m --objective reward --margin-field m -o run3 --on-error quarantine --rejects margins.bad margins.jsonl 2> err
bad margins.bad
tail -n 1 pairs.jsonl | try $m --objective dpo -o run4
# Other objectives' records and options.
try $m --objective dpo -o run4 labels.jsonl
try $m --objective kto -o run4 pairs.jsonl
try $m --objective sft -o run4 pairs.jsonl
lm-tokenize pack -q -m tok.json docs.jsonl -o data
try $m --objective dpo -o run4 --data data.json
for option in '--objective simpo --ref-field x' '--objective dpo --gamma 1' '--objective sft --beta 1' '--objective dpo --margin-field m' \
    '--objective reward --beta 1' '--objective dpo --robust' '--objective orpo --label-field x' '--objective dpo --completion-field x' \
    '--objective dpo --too-long truncate' '--objective simpo --z-loss 0.1' '--objective dpo --label-smoothing 0.5' '--objective nothing' \
    '--objective dpo --beta 0' '--objective next-token --no-pack'; do
  echo "$option"; try $m $option -o run4 pairs.jsonl
done
# Labels that are far from even, and a reference of another length.
head -n 1 labels.jsonl | jq -c '.score = {sum: -3, tokens: 2}' | try $m --objective kto --ref-field score -o run5
head -n 1 labels.jsonl | jq -c '.score = {sum: -3, tokens: 1}' | try $m --objective kto --ref-field score -o run6
ls -d run*
