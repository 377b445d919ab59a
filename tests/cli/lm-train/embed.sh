# Embeddings that every sequence draws: a folder's keys and tensors, stop and continuation, threads, streams, what
# other programs make of it, what does not go with them.
lm-synth task cipher -q --no-distinct --set key=none --set length=33 -n 300 --form ids -o ids.jsonl
lm-synth task cipher -q --no-distinct --set key=none --set length=33 -n 8 --split test -z none -o test.jsonl
jq -n '{version: "1.0", model: {type: "BPE", vocab: ([range(6)] | map({([. + 97] | implode): .}) | add), merges: []}}' > tok.json
m='-q --arch llama --layers 1 --width 16 --heads 2 --vocab 6 --seq-len 32 --batch 8 --lr 1e-2'
sft="$m --objective sft --no-eos"
for embed in gaussian semi:0.5; do
  lm-train $sft --embed $embed --steps 12 -t 1 -o whole-$embed ids.jsonl
  lm-train $sft --embed $embed --steps 12 -t 2 --save-every 5 -o part ids.jsonl
  rm -r part/final part/latest part/step-00000012
  lm-train $sft --embed $embed --steps 12 --save-every 5 -o part ids.jsonl
  cmp whole-$embed/final/model.safetensors part/final/model.safetensors && rm -r part
  jq -c '[.architectures[0], .lm_embeddings, .tie_word_embeddings]' whole-$embed/final/config.json
  head -c 3000 whole-$embed/final/model.safetensors | grep -ao '"[a-z_.]*embed[a-z_.]*"\|"lm_head[a-z_.]*"' | sort
done
lm-train $sft --embed semi:0 --steps 3 -o zero ids.jsonl; lm-train $sft --steps 3 -o learned ids.jsonl
cmp zero/final/model.safetensors learned/final/model.safetensors && cmp zero/final/config.json learned/final/config.json
# A stream, held-out data, a plan, training that goes on.
jq -c '{ids: .input_ids}' <(zstd -dc ids.jsonl 2>/dev/null || cat ids.jsonl) > docs.jsonl
lm-train $m --embed gaussian --steps 4 --ids-field ids -o stream docs.jsonl; jq -c '.loss > 0' stream/metrics.jsonl | sort | uniq -c | xargs
lm-train $m --embed gaussian --steps 4 --ids-field ids --plan docs.jsonl | grep -E '^(model|drawn)' | tr -s ' '
lm-train -q --init-from whole-gaussian/final --objective sft --no-eos --batch 4 --steps 1 -o further ids.jsonl; jq -c .lm_embeddings further/final/config.json
# One table for all records, by its number; means over several; the batch changes nothing.
score() { lm-decode score -q --tokenizer tok.json --per-token -z none "$@" test.jsonl; }
sums() { jq -c .score.sum; }
g=whole-gaussian/final s=whole-semi:0.5/final
score -m $g > zero.jsonl; score -m $g --embed-seed 0 | sums | cmp - <(sums < zero.jsonl); score -m $g --embed-seed 1 | sums | cmp -s - <(sums < zero.jsonl) || echo another
score -m $g --embed-draws 3 > three.jsonl; score -m $g --embed-draws 3 --batch 1 -t 1 | sums | cmp - <(sums < three.jsonl)
for model in $g $s; do
  score -m $model --embed-draws 2 > both.jsonl
  jq -sc 'map(.score | (.logprobs | add) - .sum | fabs < 1e-4) | all' both.jsonl
done
score -m $s > plain.jsonl; score -m $s --embed-seed 1 --embed-draws 1 | sums | cmp -s - <(sums < plain.jsonl) || echo drawn
echo '{"id":"a","prompt":"abcab"}' > prompt.jsonl
generate() { lm-decode -q --tokenizer tok.json --max-tokens 12 -z none "$@" prompt.jsonl | jq -r '.completions[0].text'; }
for seed in 0 1; do [ "$(generate -m $g --embed-seed $seed)" = "$(generate -m $g --embed-seed $seed -t 1)" ] && generate -m $g --embed-seed $seed | wc -c; done
# What does not go with them.
try() { "$@"; echo "status $?"; }
for option in '--embed semi' '--embed semi:2' '--embed gaussian --tied false' '--embed gaussian --arch gpt2' '--embed gaussian --loss mixce' \
    '--embed-draws 2'; do
  echo "$option"; try lm-train $sft --steps 1 $option -o none ids.jsonl
done
printf '{"prompt":"a","chosen":"b","rejected":"c"}\n' > pairs.jsonl
try lm-train $m --embed gaussian --objective simpo --tokenizer tok.json --steps 1 -o none pairs.jsonl
try lm-train -q --init-from $g --embed gaussian --objective sft --steps 1 -o none ids.jsonl
try lm-train -q --init-from $g --lora r=2 --objective sft --steps 1 -o none ids.jsonl
try lm-train $sft --embed gaussian --steps 1 --memory 200K -o none ids.jsonl 2>&1 | sed -E 's/[0-9.]+ (KiB|MiB)/N/g; s/\(largest.*//'
try lm-decode score -q --tokenizer tok.json -m learned/final --embed-seed 1 -z none test.jsonl
try lm-decode score -q --tokenizer tok.json -m learned/final --embed-draws 2 -z none test.jsonl
try lm-decode score -q --tokenizer tok.json -m $g --embed-draws 2 --top-logprobs 2 -z none test.jsonl
sed -i 's/"kind": "gaussian"/"kind": "pool"/' further/final/config.json
try lm-decode score -q --tokenizer tok.json -m further/final -z none test.jsonl
[ ! -e none ]
