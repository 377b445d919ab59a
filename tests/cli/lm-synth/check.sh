# Solutions in words, right and wrong, one and several.
check() { lm-synth check "$@" -q -z none; }
for problem in knapsack binpack tsp vrp jssp fssp; do
  lm-synth task $problem -n 40 -q -z none
done >made.jsonl
echo 'solved: both forms'
check made.jsonl --report r.json | jq -c 'select((.check.feasible and .check.gap == 0 and .check.objective == .objective and .check.solution == .solution) | not)'
jq -c '.metrics.check' r.json
check --field lists made.jsonl | jq -c '[.task, .check.feasible, .check.gap]' | sort | uniq -c | tr -s ' '
echo 'drawn from legal choices'
for problem in knapsack binpack tsp vrp jssp fssp; do lm-synth task $problem -n 40 --set solution=random-feasible -q -z none; done |
  check --report r.json | jq -c '.check.feasible' | sort | uniq -c | tr -s ' '
jq -c '.metrics.problems | map_values([.first.feasible, .first.gap > 0])' r.json
echo 'of several, the best without a look at the optimum; and with one'
sack='"instance":{"problem":"knapsack","items":[[9,2],[20,17],[3,3]],"capacity":20},"opt":29'
cat >several.jsonl <<END
{"id":1,$sack,"completions":[{"text":"[[3, 3]]"},{"text":"[[9, 2], [9, 2]]"},{"text":"[[20, 17], [3, 3]]"},{"text":"[[9, 2], [20, 17]]"}]}
{"id":2,$sack,"completions":["nothing","[[3, 3], [20, 17], [9, 2]]"]}
{"id":3,$sack,"completion":"Solution:\n[[9, 2] -> value:0+9=9, weight:0+2=2<=20],\nTotal Value: 9\nTotal Weight: 2<=20"}
{"id":4,"instance":{"problem":"knapsack","items":[[0,2]],"capacity":1},"opt":0,"completion":"[]"}
{"id":5,"instance":{"problem":"tsp","cities":[[0,0],[3,4]]},"completion":"[[0, 1, 0]]"}
END
check several.jsonl | jq -c .check
head -n 4 several.jsonl | check --oracle-stop 0.25 --report r.json | jq -c .check.oracle_stop
jq -c '.metrics.check' r.json
echo 'preferences by their reward: what was chosen is better on the whole, labels follow it'
for field in chosen rejected; do
  lm-synth task prefs -n 500 -q -z none | check --field $field --report $field.json |
    jq -c "select((.check.objective - .reward_$field | fabs) > 1e-12)"
done
jq -sc 'map(.metrics.problems.prefs.first.objective) | .[0] > .[1] + 0.5' chosen.json rejected.json
lm-synth task prefs -n 1 -q -z none | jq -c '{instance, completions: [" a b", "a  b", "q", "7", ""]}' >few.jsonl
check few.jsonl | jq -c '[.check.samples[] | .feasible, .objective == null, .reason], (.check.best.sample | type)'
echo 'one form only'
check --form accord several.jsonl | jq -c .check.feasible
echo 'bad records'
cat >bad.jsonl <<END
{"id":1}
{"id":2,"instance":{"problem":"sat"},"completion":"x"}
{"id":3,$sack}
{"id":4,$sack,"completion":7}
{"id":5,$sack,"completions":[{"txt":"x"}]}
{"id":6,$sack,"completions":[]}
{"id":7,"instance":{"problem":"prefs","seed":1,"vocab":16,"scale":1},"completion":"a"}
{"id":8,"instance":{"problem":"prefs","seed":"1","vocab":1,"scale":1},"completion":"a"}
{"id":9,"instance":{"problem":"prefs","seed":"1","scale":1},"completion":"a"}
{"id":10,"instance":{"problem":"tsp","cities":[[0,0],[3,4]]},"opt":"9","completion":"[[0, 1, 0]]"}
END
check --on-error quarantine --rejects rejects.jsonl bad.jsonl; jq -c '[.error.code, .error.detail]' rejects.jsonl
tail -n 1 several.jsonl | lm-synth check --oracle-stop 0.05 -z none; echo "status $?"
lm-synth check --field instance several.jsonl -z none; echo "status $?"
