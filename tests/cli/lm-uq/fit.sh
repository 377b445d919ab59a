# A training split teaches the probe of p_ik and what rde, ppl_md and huq compare with.
"$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-model m 1 262 128
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  printf '{"id":%d,"prompt":"item %d","correct":%d}\n' $i $((i * 7)) $((i % 3 > 0))
done > questions.jsonl
lm-uq sample -m m -z none -n 2 --max-tokens 6 --emb 1 questions.jsonl > known.jsonl
lm-uq fit -v -o known.st known.jsonl 2>&1 | grep prompts
echo 'the same file for threads and input forms'
lm-uq fit -t 2 -o two.st known.jsonl && cmp known.st two.st && echo same
lm-uq -z none --fitted known.st known.jsonl > scored.jsonl
jq -c '.uq.scores | [has("p_ik", "rde", "ppl_md", "huq")]' scored.jsonl | sort | uniq -c | tr -s ' '
jq -s -c 'map(.uq.scores) | [(map(.p_ik) | min > 0 and max < 1), (map(.ppl_md, .huq) | min >= 0 and max <= 1), (map(.rde) | min > 0)]' scored.jsonl
echo 'questions that were answered right are known better'
jq -s -c 'group_by(.correct) | map(map(.uq.scores.p_ik) | add / length) | .[0] > .[1]' scored.jsonl
lm-uq eval --boot 0 --metrics auroc -e p_ik,ppl_md scored.jsonl | tail -n 2 | tr -s " " | cut -d " " -f 1-3 | sort
echo 'a given p_ik is preferred; without a state there is none'
head -n 1 known.jsonl | jq -c '.p_ik = 0.75' | lm-uq -z none --fitted known.st -e p_ik | jq -c .uq.scores
head -n 1 known.jsonl | jq -c 'del(.emb, .greedy.emb)' | lm-uq -z none --fitted known.st -e p_ik,rde,huq | jq -c .uq.scores
echo 'of right answers alone there are ten; of one kind of answers no probe'
lm-uq fit -v --right-only -o right.st known.jsonl 2>&1 | grep prompts
jq -c 'select(.correct == 1)' known.jsonl | lm-uq fit -o one.st 2>&1; echo "status $?"
head -n 4 known.jsonl | lm-uq fit -o few.st 2>&1; echo "status $?"
lm-uq -z none --fitted few.st -e p_ik,rde,huq known.jsonl | head -n 1 | jq -c '.uq.scores | keys'
echo 'errors'
lm-uq fit known.jsonl; echo "status $?"
printf '%s\n' '{"id":1,"correct":1,"greedy":{"text":"x"}}' | lm-uq fit -o no.st; echo "status $?"
printf '%s\n' '{"id":1,"greedy":{"text":"x"}}' | lm-uq fit -o no.st; echo "status $?"
printf '%s\n' '{"id":1,"correct":1,"emb":{"prompt":[1]}}' '{"id":2,"correct":0,"emb":{"prompt":[1,2]}}' | lm-uq fit -o no.st; echo "status $?"
printf '%s\n' '{"id":1,"greedy":{"text":"x","emb":[1]}}' | lm-uq --on-error fail --fitted known.st; echo "status $?"
lm-uq --fitted m/model.safetensors known.jsonl; echo "status $?"
