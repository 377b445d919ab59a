# Means are worth something for models with a common start only: two models of their own, each as
# good as the other, have a mean that is nearer to token frequencies than to either; two fine-tunes
# of one have a mean as good as they are.
"$(dirname "$(command -v lm-merge)")"/helpers/make-tiny-model tiny
awk 'function draw() { seed = seed * 16807 % 2147483647; return seed / 2147483647 } BEGIN { seed = 3; for (i = 0; i < 600; ++i) { t = ""; w = int(20 * draw()); for (j = 0; j < 14; ++j) { w = (w * 3 + int(2 * draw())) % 20; t = t (j ? " " : "") sprintf("%c%c", 97 + w, 97 + (w * 7) % 20) } printf "{\"id\":%d,\"lang\":\"x\",\"text\":\"%s\"}\n", i, t } }' > all.jsonl
head -n 500 all.jsonl > train.jsonl; tail -n 100 all.jsonl > held.jsonl
lm-tokenize pack -q -m tiny -o shards/t train.jsonl
o='-q --data shards --schedule constant --warmup 0 --batch 8 --seq-len 32 --lr 0.005'
new='--arch llama --layers 2 --width 32 --heads 2 --tokenizer tiny'
lm-train $o $new --steps 120 --seed 1 -o run1; lm-train $o $new --steps 120 --seed 2 -o run2
for s in 4 5; do lm-train $o --init-from run1/final --steps 30 --seed $s -o run$s; done
loss() { lm-eval bpb -m "$1" --by lang held.jsonl | jq '.languages[0] | .nats / .tokens'; }
lm-merge -q --method linear run1/final run2/final -o apart; lm-merge -q --method linear run4/final run5/final -o together
# what knows how often tokens occur and nothing else
unigram=$(lm-tokenize encode -q -m tiny -z none held.jsonl | jq '.input_ids[]' | sort | uniq -c | awk '{ n += $1; c[NR] = $1 } END { for (i in c) h -= c[i] / n * log(c[i] / n); print h }')
{ for m in run1/final run2/final apart run4/final run5/final together; do loss $m; done; echo "$unigram"; } | jq -s -c '{
  both_learnt: (.[0] < .[6] - 2 and .[1] < .[6] - 2),
  mean_of_strangers_lost_more_than_half: (.[2] > ((.[0] + .[1]) / 2 + .[6]) / 2),
  mean_of_siblings_no_worse: (.[5] <= (.[3] + .[4]) / 2)}'
