# What several models hold of the greedy answer, as the measures of an ensemble.
tiny="$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-model
for seed in 1 2 3; do "$tiny" m$seed $seed 262 128; done
printf '%s\n' '{"id":7,"prompt":"in the end","ensemble":[[[0]]]}' '{"id":"w","prompt":"the sun"}' > in.jsonl
ask() { lm-uq sample -m m1 -z none -n 2 "$@" in.jsonl; }
echo 'one token: the measures are those of the table of all distributions'
ask --max-tokens 1 --member m2 --member m3 > one.jsonl
for seed in 1 2 3; do
  lm-uq sample -m m$seed -z none -n 1 --max-tokens 1 --top-logprobs 262 in.jsonl |
    jq -c '[.greedy.top[0] | sort_by(.[0])[] | .[1]]' > top$seed
done
paste -d ' ' top1 top2 top3 > tables
names=$(lm-uq --list | cut -f 1 | grep ^ensemble | paste -sd ,)
scores() { lm-uq -z none -e "$names" | jq -c '.uq.scores | map_values(. * 1e4 | round)'; }
jq -c 'del(.ensemble)' one.jsonl | paste - tables | sed 's/}\t\(.*\) \(.*\) \(.*\)$/,"ensemble":[[\1],[\2],[\3]]}/' |
  scores > want
scores < one.jsonl | cmp - want && echo same
jq -c '[length, (map(. > 0) | all)]' want
echo 'twice the same model: no information, and its own entropy'
cp -r m1 copy
ask --max-tokens 7 --member copy | jq -c '.ensemble.ep as $e | [$e.pairwise, ($e.total - $e.data), ($e.total - (.greedy.entropy | add / length))] | map(. * 1e5 | round | fabs)'
echo 'the same bytes for threads, batches, chunks; the rest is as without'
ask --max-tokens 7 --member m2 --emb 1 --attention rauq > out.jsonl
ask --max-tokens 7 --member m2 --emb 1 --attention rauq -t 2 --batch 1 --chunk 3 | cmp - out.jsonl && echo same
ask --max-tokens 7 --emb 1 --attention rauq | jq -c 'del(.lm, .ensemble)' > want
jq -c 'del(.lm, .ensemble)' out.jsonl | cmp - want && echo same
ask --max-tokens 7 | jq -c .ensemble
echo 'resumed results are of these members'
ask --max-tokens 7 --member m2 --resume r > whole.jsonl
ask --max-tokens 7 --member m2 --resume r | cmp - whole.jsonl && echo same
ask --max-tokens 7 --member m3 --resume r > other.jsonl; echo "status $?"
ask --max-tokens 7 --member m3 | cmp - other.jsonl && echo same
cmp -s whole.jsonl other.jsonl || echo different
echo 'a member with a short context'
"$tiny" short 1 262 16
ask --max-tokens 12 --member short | jq -c '[.id, has("ensemble"), (.ensemble | type)]'
echo 'refusals'
ask --member m1; echo "status $?"
ask --member m2 --member m2; echo "status $?"
ask --member none; echo "status $?"
"$tiny" other 1 263 128; ask --member other; echo "status $?"
"$tiny" wide 1 262 128 32; ask --memory 1M --member wide; echo "status $?"
lm-uq sample -m m1 --member m2 in.jsonl -o m2/config.json; echo "status $?"
echo 'measures that are none'
bad() { echo "{\"id\":1,\"samples\":[\"a\"],\"ensemble\":$1}" | lm-uq -z none -e ensemble_mi --on-error fail; echo "status $?"; }
bad '{"pe":{"total":1}}'
bad '{"pe":{"total":-1,"data":0,"pairwise":0,"top5":0,"top10":0,"top15":0}}'
bad '{"pe":3}'
echo '{"samples":["a"],"ensemble":{"pe":{"total":1,"data":0.25,"pairwise":0,"top5":0,"top10":0,"top15":0},"further":1}}' |
  lm-uq -z none -e ensemble_mi | jq -c .uq.scores
