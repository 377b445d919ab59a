# shellcheck shell=bash disable=SC2034
# Choices of 400 documents under a tiny model, a few draws: the contract is tested, not the model.
verb=run
streams=0
output=folder
result=.
operands=(pairs.yaml)
setup() {
  "$bin/helpers/make-tiny-model" "$work/model"
  awk 'BEGIN { srand(7); for (i = 0; i < 400; ++i) printf "{\"q\":\"item %d\",\"good\":\"the end %d\",\"bad\":\"end the %d\"}\n", i, rand() * 100, rand() * 100 }' >docs.jsonl
  printf '%s\n' 'task: pairs' 'dataset: docs.jsonl' 'output_type: multiple_choice' 'doc_to_text: "{{q}}"' \
    'doc_to_target: 0' 'doc_to_choice: "{{[good, bad]}}"' 'num_fewshot: 2' \
    'metric_list: [{metric: acc}, {metric: acc_norm}]' >pairs.yaml
}
args=(-m "$work/model" --bootstrap 20)
usage_args=(--limit 1.5)
folders=1
nowhere=/dev/null/out  # folders on the way are made
kills=6
fault_runs=10
starts=30
full_kb=4
