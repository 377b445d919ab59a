# shellcheck shell=bash disable=SC2034
# Two runs over 24 tasks with other examples before the documents.
verb=compare
streams=0
output=file
operands=(one two)
setup() {
  "$bin/helpers/make-tiny-model" "$work/model"
  awk 'BEGIN { srand(7); for (i = 0; i < 40; ++i) printf "{\"q\":\"item %d\",\"good\":\"the end %d\",\"bad\":\"end the %d\"}\n", i, rand() * 100, rand() * 100 }' >docs.jsonl
  printf '%s\n' 'dataset: docs.jsonl' 'output_type: multiple_choice' 'doc_to_text: "{{q}}"' \
    'doc_to_target: 0' 'doc_to_choice: "{{[good, bad]}}"' 'num_fewshot: 2' \
    'metric_list: [{metric: acc}, {metric: brier_score}]' >common
  for i in $(seq 24); do { echo "task: pairs$i"; cat common; } >"task$i.yaml"; done
  lm-eval run -m "$work/model" --bootstrap 20 --limit 30 -o one task*.yaml
  lm-eval run -m "$work/model" --bootstrap 20 --limit 30 --fewshot-seed 5 -o two task*.yaml
}
lacking=(one missing)
args=(--bootstrap 20 --flips 50)
usage_args=(one)  # three folders
kills=4
fault_runs=10
starts=50
full_kb=4
