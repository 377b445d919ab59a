# What is made is what lm-train reads: two steps of a tiny model on every task that has ids.
for form in lookup:ids permutation:ids setdisjoint:ids mqar:ids cipher:ids permute-bits:ids invperm:ids; do
  lm-synth task ${form%:*} --form ${form#*:} -n 32 --no-distinct -q --report made.json -o made.jsonl
  lm-train -q --objective sft --arch llama --layers 1 --width 8 --heads 1 --vocab "$(jq .metrics.ids made.json)" \
    --seq-len 128 --batch 4 --steps 2 --no-eos -o run-${form%:*} made.jsonl || echo "status $?"
  echo "$form $(jq -c .metrics.ids made.json) $(tail -n 1 run-${form%:*}/metrics.jsonl | jq '.loss > 0')"
done
