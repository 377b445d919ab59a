"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model m
for i in 0 1 2 3 4 5 6; do printf '{"good":"the end %d","bad":"end the %d","q":"item %d is","label":%d}\n' $i $i $i $((i % 2)); done > d.jsonl
printf '%s\n' 'task: pairs' 'dataset: d.jsonl' 'output_type: multiple_choice' 'doc_to_text: ""' 'doc_to_target: 0' \
  'doc_to_choice: "{{[good, bad]}}"' 'metric_list: [{metric: acc}, {metric: acc_norm}, {metric: acc_bytes}]' 'metadata: {version: 1.0}' > pairs.yaml
printf '%s\n' 'include: pairs.yaml' 'task: shots' 'doc_to_text: "{{q}}"' 'doc_to_target: "{{label}}"' 'doc_to_choice: ["in", "the"]' \
  'num_fewshot: 2' 'metric_list: [{metric: acc}, {metric: mcc}, {metric: brier_score}]' > shots.yaml
printf '%s\n' 'task: text' 'dataset: d.jsonl' 'output_type: loglikelihood_rolling' 'doc_to_target: q' > text.yaml
printf '%s\n' 'task: write' 'dataset: d.jsonl' 'doc_to_text: q' 'doc_to_target: "{{label}}"' 'repeats: 3' \
  'generation_kwargs: {until: ["e"], max_gen_toks: 5, do_sample: true, temperature: 0.7}' 'filter_list:' \
  '- {name: vote, filter: [{function: majority_vote}]}' '- {name: first, filter: [{function: take_first}]}' > write.yaml
printf '%s\n' 'group: all' 'task: [pairs, shots]' > group.yaml
lm-eval --check group.yaml text.yaml | jq -c .
lm-eval run -m m -t 1 --batch 1 --chunk 3 -o out group.yaml text.yaml write.yaml; ls out
jq -c '.results.pairs | keys' out/results.json
jq -c '.groups, .versions, ."n-shot", ."n-samples"' out/results.json | sed 's/[0-9]\.[0-9]*/N/g'
jq -c '.results.text | keys, ."bits_per_byte_interval,none"[0] <= ."bits_per_byte,none"' out/results.json
zstd -dc out/samples_shots.jsonl.zst | jq -c '[.doc_id, .arguments[0], (.resps | length)]' | head -n 2
zstd -dc out/samples_write.jsonl.zst | jq -c '[.filter, (.resps[0] | length), (.filtered_resps | length)]' | sort | uniq -c
lm-cat --check out/samples_*.zst | sed 's/, [0-9]* bytes.*//; s/:.*: /: /'
# any number of threads, batch or memory gives the same bytes
for how in '-t 2 --batch 7 --chunk 512' '-t 7 --memory 64M'; do
  lm-eval run -m m $how -o again group.yaml text.yaml write.yaml; diff -r out again && echo same
done
# standard output takes the results alone, the order of the files is that of the results
lm-eval -m m write.yaml pairs.yaml | jq -c '.results | keys_unsorted'
jq -S .results.pairs out/results.json > a; lm-eval -m m write.yaml pairs.yaml | jq -S .results.pairs | cmp - a && echo same
