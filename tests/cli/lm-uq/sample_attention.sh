# What attention weights and likeliest tokens say of the greedy answer, and the scores of it.
"$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-model m 1 262 128
printf '%s\n' '{"id":7,"prompt":"in the end","claims":[{"text":"old"}]}' '{"id":"w","prompt":"the sun"}' > in.jsonl
ask() { lm-uq sample -m m -z none -n 2 --max-tokens 6 "$@" in.jsonl; }
all='--attention attention_score,rauq,focus,csl --csl-prompt Q:{prompt}A:{answer}? --boosted'
ask $all > out.jsonl
echo 'by token, head and layer'
jq -c '.greedy | [(.logp, .csl_weight, .boosted, .focus, .keyword, .attn_back | length), (.attn_self | [length, (.[0] | length)]), (.attn_prev | [length, (.[0] | length), (.[0][0] | length)])]' out.jsonl
echo 'weights are shares; a row looks back on what is before it, if it is a keyword'
jq -c '.greedy | [([.attn_self[][], .attn_prev[][][], .attn_back[][], .csl_weight[], .boosted[]] | min >= 0 and max <= 1), ([range(.logp | length) as $t | (.attn_back[$t] | length) == (if .keyword[$t] == 1 then $t else 0 end)] | all)]' out.jsonl
echo 'the answers and the rest are as without'
ask > plain.jsonl
jq -c '.greedy |= del(.attn_self, .attn_prev, .attn_back, .csl_weight, .boosted, .focus, .keyword) | del(.lm)' out.jsonl > rest
jq -c 'del(.lm)' plain.jsonl | cmp - rest && echo same
echo 'the same bytes for threads, batches and chunks; one score asks for what it reads'
ask $all -t 2 --batch 1 --chunk 3 | cmp - out.jsonl && echo same
ask --attention rauq | jq -c '.greedy | keys - ["attn_prev"] | contains(["attn_self"])'
ask --attention rauq | jq -c .greedy.attn_prev > want
jq -c .greedy.attn_prev out.jsonl | cmp - want && echo same
echo 'all scores of it'
lm-uq -z none out.jsonl | jq -c '.uq.scores | [has("attention_score", "rauq", "focus", "csl", "boostedprob")]'
lm-uq -z none plain.jsonl | jq -c '.uq.scores | [has("attention_score", "rauq", "focus", "csl", "boostedprob")]'
echo 'rare tokens surprise more: focus by document frequencies'
printf '{"text":"%s"}\n' 'in the end' 'the sun' '3 3 3' > texts.jsonl
ask --attention focus --idf texts.jsonl | jq -c .greedy.focus > rare
jq -c .greedy.focus out.jsonl | cmp -s - rare || echo different
echo 'older claims were of other answers; likeliest tokens stay as many as were asked for'
jq -c '[.claims, (.greedy.top | map(length) | unique)]' out.jsonl
ask --boosted --top-logprobs 0 | jq -c '.greedy | [has("top", "boosted")]'
ask --attention csl 2>&1 | jq -Rc 'fromjson? | .greedy | has("csl_weight")'
for wrong in '--attention cls' '--attention rauq --idf texts.jsonl' '--attention rauq --csl-prompt {prompt}{answer}' '--attention csl --csl-prompt {answer}' '--csl-prompt x' '--idf texts.jsonl'; do ask $wrong; echo "status $?"; done
