# Feasible solutions whatever the model likes: all problems, both forms, every way of drawing, held against
# lm-synth check; the same bytes for any threads and batch, and whatever the record says of the optimum.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m 1 262 2048
for p in knapsack binpack tsp vrp jssp fssp; do
  lm-synth task $p -q -n 4 --set least=2 --set most=4 --seed 3 -z none | jq -c 'del(.completion)'
done > in.jsonl
for form in accord lists; do
  for draw in exact gcd asap; do
    lm-decode -q -m m --feasible record --feasible-format $form --feasible-draw $draw -z none in.jsonl -o out.jsonl
    lm-synth check -q --form $form --report r.json out.jsonl -z none -o checked.jsonl
    jq -c --arg how "$form $draw" '[$how, .metrics.check.records, .metrics.check.feasible]' r.json
    jq -c '[.check.objective == .completions[0].objective, .completions[0].feasible, .completions[0].finish_reason]' checked.jsonl | sort -u
  done
done
# Unconstrained: nothing is.
lm-decode -q -m m --max-tokens 60 -z none in.jsonl | lm-synth check -q --report r.json -z none -o x.jsonl
jq -c .metrics.check.feasible r.json
how='-q -m m --feasible record --temperature 200 -n 3 --logprobs --seed 5 -z none'
lm-decode $how -t 1 --batch 1 --chunk 7 in.jsonl -o one.jsonl
lm-decode $how -t 2 --batch 16 in.jsonl -o two.jsonl; cmp one.jsonl two.jsonl
lm-decode $how --draft prompt-lookup in.jsonl -o two.jsonl; cmp one.jsonl two.jsonl
jq -c 'del(.opt, .opt_proved, .solution, .objective, .lists)' in.jsonl > blind.jsonl
lm-decode $how blind.jsonl | jq -c .completions > blind.out; jq -c .completions one.jsonl | cmp - blind.out
lm-decode $how --resume one.jsonl in.jsonl --report r.json -o two.jsonl; cmp one.jsonl two.jsonl
jq -c '[.metrics.throughput.reused_records, .metrics.throughput.generated_tokens]' r.json
# The best of eight by its objective: more of a knapsack, less of a route.
for p in knapsack tsp; do
  sign=; [ $p = knapsack ] || sign=-
  grep "\"task\":\"$p\"" in.jsonl | lm-decode $how -n 8 --flat --feasible $p - | tee all.jsonl | lm-mix -q --top 1 --by "${sign}completion.objective" --group id -z none > best.jsonl
  jq -s --slurpfile all all.jsonl -c --argjson sign ${sign}1 '[length, all(.[]; . as $b | [$all[] | select(.id == $b.id) | .completion.objective * $sign] | max == $b.completion.objective * $sign)]' best.jsonl
done
# max_tokens of the options or a record ends a text before its solution does.
head -n 1 in.jsonl | lm-decode -q -m m --feasible record --max-tokens 9 -z none | jq -c '.completions[0] | [.finish_reason, .feasible, .solution]'
head -n 1 in.jsonl | jq -c '.params = {max_tokens: 9}' | lm-decode -q -m m --feasible record --feasible-draw gcd -z none | jq -c '.completions[0] | [.finish_reason, .feasible, .solution]'
