# What cannot be fitted is said with its reason, and what is not of one model is refused.
record() { printf '{"id":%d,"model":"%s","correct":%d,"emb":{"prompt":[%s],"layer":%s},"greedy":{"text":"x","logp":[-1],"emb":[%s]}}\n' "$@"; }
fit() { lm-uq fit -o f.st "$@"; echo "status $?"; [ ! -e f.st ] || rm f.st; }
for i in $(seq 12); do record $i m 0 $i,$((i * i % 7)) 1 $i,$((i * i % 5)); done > wrong.jsonl
fit --right-only wrong.jsonl
for i in $(seq 40); do record $i m $((i % 2)) $i,1 1 3,4; done > constant.jsonl
fit constant.jsonl
echo '{"id":1,"refs":["x"],"greedy":{"text":"x","emb":[1]}}' > refs.jsonl
fit --correct given refs.jsonl
echo '{"id":1,"correct":1,"greedy":{"text":"x","emb":[1]}}' > given.jsonl
fit --correct exact given.jsonl
echo 'every question once'
fit wrong.jsonl wrong.jsonl
echo 'one model, one layer'
record 41 other 1 1,2 1 1,2 > other.jsonl
record 42 m 1 1,2 2 1,2 > layer.jsonl
fit wrong.jsonl other.jsonl
fit wrong.jsonl layer.jsonl
for i in $(seq 12); do record $i m $((i % 2)) $i,$((i * i % 7)) 1 $i,$((i * i % 5)); done > good.jsonl
lm-uq fit -o good.st good.jsonl; echo "status $?"
lm-uq -z none --on-error fail --fitted good.st -e p_ik other.jsonl; echo "status $?"
lm-uq -z none --on-error fail --fitted good.st -e p_ik layer.jsonl; echo "status $?"
jq -c 'del(.model, .emb.layer)' other.jsonl | lm-uq -z none --fitted good.st -e p_ik | jq '.uq.scores.p_ik > 0'
jq -c 'del(.emb, .greedy.emb)' other.jsonl | lm-uq -z none --fitted good.st -e msp | jq -c .uq.scores
