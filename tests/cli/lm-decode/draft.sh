"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
for i in $(seq 12); do printf '{"id":"r%d","prompt":"the %d, the %d","params":{"logit_bias":{"%d":6,"32":6}}}\n' $i $i $i $((97 + i)); done > in.jsonl
# guesses save passes and change nothing
for how in '' --greedy '--top-p 0.9 -n 3 --logprobs --tokens' '--repetition-penalty 1.2 --stop ab'; do
  lm-decode -m m $how --max-tokens 40 --batch 4 in.jsonl --report plain.json -o want.jsonl
  lm-decode -m m $how --max-tokens 40 --batch 4 --draft prompt-lookup in.jsonl --report draft.json -o got.jsonl
  cmp want.jsonl got.jsonl && echo "same $how"
  lm-decode -m m $how --max-tokens 40 -t 2 --chunk 9 --draft prompt-lookup --draft-length 3 in.jsonl -o got.jsonl
  cmp want.jsonl got.jsonl && echo "same $how"
done
lm-decode -m m --greedy --batch 1 --max-tokens 40 in.jsonl --report plain.json -o want.jsonl
lm-decode -m m --greedy --batch 1 --max-tokens 40 --draft prompt-lookup in.jsonl --report draft.json -o got.jsonl
jq -cs 'map(.metrics.throughput) | [.[1].steps < .[0].steps, .[0].draft_rows == 0, .[1].draft_tokens > 0, .[1].draft_rows >= .[1].draft_tokens]' plain.json draft.json
