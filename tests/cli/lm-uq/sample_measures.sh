# States at the last token of prompt and answer, and what each token means to its answer.
"$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-model m 1 262 128
printf '%s\n' '{"id":7,"prompt":"in the end","emb":{"greedy":[1]}}' \
  '{"id":"w","prompt":"the sun","perturb":[{"kind":"gaap","prompt":"a star"}]}' > in.jsonl
lm-uq sample -m m -z none -n 3 --answers 2 --max-tokens 6 --emb 1 --relevance chrf in.jsonl > out.jsonl
jq -c '[.id, (.emb.prompt | length), (.greedy.emb | length), [.samples[].emb | length], [.perturb[]? | (.emb | length), (.samples[].emb | length)]]' out.jsonl
jq -c '[(.greedy.relevance | length) == (.greedy.logp | length), ([.samples[] | (.relevance | length) == (.logp | length)] | all), ([.greedy.relevance[], .samples[].relevance[]] | min >= 0 and max <= 1)]' out.jsonl
echo 'the state of the prompt is that of lm-embed'
jq -c '{id, text: .prompt}' in.jsonl | lm-embed -m m --layer 1 --pool last --no-normalize -z none | jq -c .embedding > want
jq -c .emb.prompt out.jsonl | cmp - want && echo same
echo 'the same bytes for threads and batches'
lm-uq sample -m m -z none -n 3 --answers 2 --max-tokens 6 --emb 1 --relevance chrf -t 2 --batch 1 --chunk 3 in.jsonl | cmp - out.jsonl && echo same
# without them, what older answers were measured by is gone
lm-uq sample -m m -z none -n 2 --max-tokens 6 in.jsonl | jq -c '[.emb, (.greedy | has("emb", "relevance"))]'
# a record read for eigenscore and its kin
for i in 1 2 3 4 5 6 7 8 9; do printf '{"text":"item %d of the end"}\n' $i; done > known.jsonl
lm-embed -m m --layer 1 --pool last --no-normalize --whiten-fit known.st known.jsonl -o /dev/null
tail -n 6 known.jsonl | lm-embed -m m --layer 1 --pool last --no-normalize --whiten-fit any.st -o /dev/null
lm-uq -z none --reference known.st --background any.st out.jsonl | jq -c '.uq.scores | [has("eigenscore", "token_sar", "sar", "mahalanobis", "relative_mahalanobis")]'
lm-uq -z none out.jsonl | jq -c '.uq.scores | [has("eigenscore", "mahalanobis")]'
lm-uq -z none --background any.st out.jsonl; echo "status $?"
lm-embed -m hash:char3,dim=8 --whiten-fit narrow.st known.jsonl -o /dev/null
lm-uq -z none --on-error fail --reference narrow.st out.jsonl; echo "status $?"
lm-uq -z none --reference known.st --background narrow.st out.jsonl; echo "status $?"
for layer in 9 all; do lm-uq sample -m m --emb $layer in.jsonl; echo "status $?"; done
