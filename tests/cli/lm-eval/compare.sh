"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model m
"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model n 2
for i in $(seq 30); do printf '{"good":"the end %d","bad":"end the %d","q":"the item %d"}\n' $i $i $i; done > d.jsonl
printf '%s\n' 'task: pairs' 'dataset: d.jsonl' 'output_type: multiple_choice' 'doc_to_text: ""' 'doc_to_target: 0' 'doc_to_choice: "{{[good, bad]}}"' > pairs.yaml
printf '%s\n' 'task: text' 'dataset: d.jsonl' 'output_type: loglikelihood_rolling' 'doc_to_target: q' > text.yaml
lm-eval -m m -o a pairs.yaml text.yaml; lm-eval -m n -o b pairs.yaml text.yaml; lm-eval -m m --limit 10 -o c pairs.yaml
lm-eval compare a a | jq -c '.comparisons[] | [.task, .metric, .n, .difference, .interval, .p_value]'
lm-eval compare a b | jq -c '.comparisons[] | [.task, .metric, .n, (.wins // 0) + (.losses // 0) + (.ties // 0), .test, (.difference - (.b - .a) | fabs < 1e-12), .interval[0] <= .difference, .difference <= .interval[1]]'
lm-eval compare a c | jq -c '.comparisons[] | [.metric, .n, .only_a, .only_b]'
for t in 1 2 7; do lm-eval compare -t $t a b | md5sum; done | uniq | wc -l
lm-eval compare a missing; echo "status $?"
mkdir d; lm-eval compare a d; echo "status $?"
printf '{"doc_id":0}\n' > d/samples_pairs.jsonl.zst; lm-eval compare a d; echo "status $?"
