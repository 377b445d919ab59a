"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
for i in $(seq 12); do printf '{"id":"r%d","prompt":"the %d, the %d","params":{"logit_bias":{"%d":6,"32":6}}}\n' $i $i $i $((97 + i)); done > in.jsonl
lm-ngram train -q -k 3 --tokenizer m --field prompt --discount-fallback in.jsonl -o n.lmng
# guesses save passes and change nothing
for how in '' --greedy '--top-p 0.9 -n 3 --logprobs --tokens' '--repetition-penalty 1.2 --stop ab'; do
  lm-decode -m m $how --max-tokens 40 --batch 4 in.jsonl -o want.jsonl
  for draft in prompt-lookup ngram suffix aded aded-published 'model --draft-model m' 'ngram-model --draft-model n.lmng'; do
    lm-decode -m m $how --max-tokens 40 --batch 4 --draft $draft in.jsonl -o got.jsonl
    cmp want.jsonl got.jsonl
    lm-decode -m m $how --max-tokens 40 -t 2 --chunk 9 --draft $draft --draft-length 3 --draft-all in.jsonl -o got.jsonl
    cmp want.jsonl got.jsonl && echo "same $draft $how"
  done
done
# how many depends on the clock, unless all are checked
lm-decode -m m --greedy --batch 1 --max-tokens 40 in.jsonl --report plain.json -o want.jsonl
for draft in prompt-lookup ngram suffix aded 'model --draft-model m' 'ngram-model --draft-model n.lmng'; do
  lm-decode -m m --greedy --batch 1 --max-tokens 40 --draft $draft --draft-all in.jsonl --report draft.json -o got.jsonl
  cmp want.jsonl got.jsonl
  jq -cs 'map(.metrics.throughput) | [.[1].steps < .[0].steps, .[0].draft_rows == 0, .[1].draft_tokens > 0, .[1].draft_rows >= .[1].draft_tokens]' plain.json draft.json
done
# what one run writes the next one knows
once() { lm-decode -m m --greedy --batch 1 --max-tokens 40 --draft "$1" --draft-all "${@:2}" in.jsonl --report r.json -o got.jsonl && cmp want.jsonl got.jsonl && jq .metrics.throughput.steps r.json; }
for draft in ngram suffix aded; do
  first=$(once $draft --draft-file "$draft.bin")
  second=$(once $draft --draft-file "$draft.bin")
  stream=$(once $draft --draft-scope stream)
  alone=$(once $draft)
  echo "$draft $((second <= first)) $((stream == first)) $((first <= alone)) $(head -c 8 "$draft.bin")"
done
