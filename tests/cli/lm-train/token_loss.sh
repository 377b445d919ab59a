# Losses of a next token beside cross entropy: their metrics, costs by file, by folder and by the head, what
# does not fit.
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"text\":\""; for (j = 0; j < 12; ++j) printf "%d ", (i % 7 + j) % 10; print "\"}" } }' > docs.jsonl
lm-tokenize train -q -n 257 --special-token '<a>' docs.jsonl -o tok.json
lm-tokenize pack -q -m tok.json docs.jsonl -o data
m='--arch llama --layers 1 --width 16 --heads 2 --seq-len 16 --batch 4 --lr 1e-2 --data data.json'
lm-train $m --steps 20 -o base
try() { lm-train "$@"; echo "status $?"; }
for loss in 'emo' 'emo --emo-mode 2' 'emo --emo-cost fixed:base/final --emo-cap 3' 'emo --no-emo-detach-gt' 'mixce --loss-mix 0.3' tvd; do
  rm -rf run; lm-train $m --steps 30 --loss $loss -o run
  jq -sc --arg l "$loss" '[$l, (.[0] | keys - ["bpb"] | join(" ")), .[0].ce > .[-1].ce, (.[0].transport // 1) >= (.[-1].transport // 0)]' run/metrics.jsonl
done
# A step is its formula: cross entropy is the same for all of them.
for loss in ce emo mixce tvd; do lm-train --init-from base/final --batch 4 --data data.json --steps 1 --loss $loss -o one-$loss; done
jq -c '(.ce // .loss) * 10000 | round' one-*/metrics.jsonl | sort -u | wc -l
# A stop and its continuation; threads.
lm-train $m --steps 12 --loss emo --emo-cost fixed:base/final -o whole
lm-train $m --steps 12 --loss emo --emo-cost fixed:base/final -t 2 --save-every 5 -o part
rm -r part/final part/latest part/step-00000012
lm-train $m --steps 12 --loss emo --emo-cost fixed:base/final --save-every 5 -o part
cmp whole/final/model.safetensors part/final/model.safetensors
lm-train $m --steps 12 --loss emo --save-every 5 -o part 2>&1 | sed -E 's/[0-9a-f]{16}/D/g'
lm-train $m --steps 12 --loss emo --emo-cost fixed:base/final --plan | grep -E '^embeddings'
for option in '--loss emd' '--loss ce --emo-mode 2' '--loss emo --emo-mode 3' '--loss emo --emo-cost base' '--loss emo --emo-cost fixed:' \
    '--loss emo --emo-cost fixed:none' '--loss emo --emo-cost fixed:tok.json' '--loss emo --loss-mix 0.5' '--loss emo --z-loss 0.1' \
    '--loss mixce --loss-mix 2' '--objective dpo --loss emo'; do
  echo "$option"; try $m --steps 1 $option -o none
done
ls -d none
