# Prompts that see all of themselves: log-probabilities are those of training with the same mask; chunks, batches
# and threads change nothing; holes too.
awk 'BEGIN { for (i = 0; i < 40; ++i) printf "{\"id\":%d,\"prompt\":\"f(%d) = %s\",\"completion\":\" %d\"}\n", i, i % 10, substr("abcdefg", 1, i % 7), 9 - i % 10 }' > qa.jsonl
jq -c '{text:(.prompt+.completion)}' qa.jsonl > docs.jsonl
lm-tokenize train -q -n 270 $(printf -- '--special-token %s ' '<|endoftext|>' '<mask_1>' '<mask_2>' '<sep>' '<eom>' '<fim_prefix>' '<fim_suffix>' '<fim_middle>') docs.jsonl -o tok
lm-train -q --arch llama --layers 2 --width 32 --heads 4 --seq-len 24 --batch 8 --lr 1e-2 --tokenizer tok --steps 15 --objective sft --prefix-mask -o run qa.jsonl
ask='-q -m run/final --greedy --logprobs -z none'
lm-decode $ask --max-tokens 6 --prefix-mask qa.jsonl > want
for how in '--chunk 3' '--batch 1' '-t 1' '-t 2'; do lm-decode $ask --max-tokens 6 --prefix-mask $how qa.jsonl | cmp - want; done
nats() { jq -s '-(map(.completions[0].logprobs[0]) | add) / length'; }
lm-decode $ask --max-tokens 1 --prefix-mask qa.jsonl | jq -c 'select(.completions[0].text != "")' > first
jq -c '{prompt, completion: .completions[0].text}' first > said.jsonl
trained() { lm-train -q --init-from run/final --objective sft --no-eos --no-pack --seq-len 24 --batch "$(wc -l < said.jsonl)" --lr 0 --steps 1 --metrics m.jsonl -o m "$@" said.jsonl; jq .loss m.jsonl; rm -r m; }
close() { awk -v a="$1" -v b="$2" 'BEGIN { print (a - b < 1e-5 && b - a < 1e-5) ? "equal" : "apart" }'; }
with=$(nats < first)
close "$with" "$(trained --prefix-mask)"
close "$with" "$(trained)"
close "$(jq -c '{prompt, choices: [.completion]}' said.jsonl | lm-decode score -q -m run/final --boundary separate -z none - | jq -s '-(map(.scores[0].sum) | add) / length')" "$(trained)"
# Holes: the mask reaches to the separator, of formats with a middle to the end of the prompt.
jq -c '{id, prefix: .prompt, suffix: .completion}' qa.jsonl | head -n 5 > holes.jsonl
for format in codegen2 psm; do
  lm-decode infill $ask --format $format --max-tokens 6 --prefix-mask holes.jsonl > want
  lm-decode infill $ask --format $format --max-tokens 6 --prefix-mask --chunk 2 holes.jsonl | cmp - want
  lm-decode infill $ask --format $format --max-tokens 6 holes.jsonl | cmp -s - want && echo "$format: no difference"
done
try() { lm-decode $ask --prefix-mask "$@" qa.jsonl > /dev/null; echo "status $?"; }
try --prompt-logprobs
try --small-model run/final
