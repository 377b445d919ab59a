# Rankings by given scores beside what training gave.
acc() { printf '{"task":"%s","strategy":"%s","accuracy":%s}\n' "$@"; }
sco() { printf '{"task":"%s","strategy":"%s","ppl":%s,"more":{"reward":%s}}\n' "$@"; }
# Two seeds of a/x: their mean is .8. Task a by ppl: x y z as by accuracy; task b the other way round.
(acc a x 0.9 a x 0.7 a y 0.5 a z 0.2; acc b x 0.4 b y 0.6) > accuracies.jsonl
# Two questions of a/x: mean ppl 2.
(sco a x 1 5 a x 3 7 a y 4 6.5 a z 9 -1; sco b x 2 1 b y 3 2) > scores.jsonl
e() { lm-ppl-filter eval --accuracies accuracies.jsonl "$@"; }
e --metric ppl,more.reward:highest --format json scores.jsonl > got.json
jq -c '.tasks[] | [.task, .strategies, .mean, .best, (.metrics[] | [.metric, .rho, .chosen, .accuracy])]' got.json
# rho 1 and -1: mean 0; weighted by the spreads .3 and sqrt(.02) it is (.3 - .141421) / .441421 = .359246
jq -c '[.unmatched, .mean, .best], (.metrics[] | [.metric, .rho, (.weighted_rho * 1e6 | round), .accuracy, .best_found, .first_less])' got.json
echo 'the order of the lines changes nothing'
tac scores.jsonl | e --metric ppl,more.reward:highest --format json | cmp - got.json && echo same
e --metric ppl,more.reward:highest --format json -t 2 scores.jsonl | cmp - got.json && echo same
echo 'a table'
e --metric ppl,more.reward:highest --boot 0 scores.jsonl
echo 'one task, fields of other names'
jq -c 'select(.task == "a") | {how: .strategy, p: .ppl}' scores.jsonl > bare.jsonl
jq -c 'select(.task == "a") | {how: .strategy, gain: .accuracy}' accuracies.jsonl > gains.jsonl
lm-ppl-filter eval --accuracies gains.jsonl --strategy how --accuracy gain --metric p --format json bare.jsonl | jq -c '[.tasks[].task, .metrics[0].rho]'
echo 'what has no partner is left out'
(cat scores.jsonl; sco b only 1 1) > more.jsonl
e --metric ppl --format json more.jsonl | jq -c '[.unmatched, (.tasks | map(.strategies))]'
echo 'tasks without a correlation, or without a strategy that has both, are named'
(cat scores.jsonl; sco c x 1 1 d x 2 1; sco e x 3 4 e y 3 5) > more.jsonl
(cat accuracies.jsonl; acc d x 0.5 e x 0.1 e y 0.2) > also.jsonl
lm-ppl-filter eval --accuracies also.jsonl --metric ppl,more.reward:highest --format json more.jsonl | jq -c '[.unmatched, .unmatched_tasks, (.metrics[] | [.rho, .without_rho])]'
lm-ppl-filter eval --accuracies also.jsonl --metric ppl,more.reward:highest --boot 0 more.jsonl
echo 'refusals'
bad() { "$@"; echo "status $?"; }
bad lm-ppl-filter eval scores.jsonl
bad e --metric ppl:best scores.jsonl
bad e --metric ppl,ppl:highest scores.jsonl
bad e --metric ppl,ppl.x scores.jsonl
bad e --metric none scores.jsonl
sco c x 1 1 | bad e --metric ppl
echo '{"task":"a","strategy":"x","accuracy":"high"}' > broken.jsonl; bad lm-ppl-filter eval --accuracies broken.jsonl --metric ppl scores.jsonl
echo '{"task":"a","accuracy":1}' > broken.jsonl; bad lm-ppl-filter eval --accuracies broken.jsonl --metric ppl scores.jsonl
bad e --metric ppl -z none scores.jsonl
bad e --metric ppl -o out.zst scores.jsonl
