# Orders of a document and a question, asked and compared on the same documents.
"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model m
printf '%s\n' '{"context":"The end.","question":"name","a":"e","kind":"attribute"}' '{"context":"In the..","question":"place","a":"the","kind":"attribute"}' \
  '{"context":"the item","question":"x","a":"QQ","kind":"attribute"}' > d.jsonl
task() { printf '%s\n' "task: read" 'dataset: d.jsonl' 'doc_to_target: a' 'metric_list: [{metric: contains}, {metric: exact_match}]' \
  'generation_kwargs: {max_gen_toks: 6, until: []}' "$@" > read.yaml; }
reading='doc_to_reading: {context: context, question: question, kind: kind, order: [CQ, QCQ, CCQ, CQCQ, QCCQ]}'
task "$reading"
lm-eval run -m m -o out read.yaml
jq -c '[(.groups | keys), .group_subtasks], (.results | keys)' out/results.json
for order in CQ QCQ CCQ CQCQ QCCQ; do zstd -dc "out/samples_read_$order.jsonl.zst" | jq -c '.arguments[0][0]' | head -n 1; done
# they are the prompts of lm-decode
for order in CQ QCCQ; do
  zstd -dc "out/samples_read_$order.jsonl.zst" | jq -c '.arguments[0][0]' > asked
  lm-decode -m m --dump-prompt --echo --max-tokens 6 --jrt-template "$order" -z none d.jsonl | jq -c .prompt_text | cmp - asked && echo "same prompts $order"
done
# contains does not tell large letters from small ones
zstd -dc out/samples_read_CQ.jsonl.zst | jq -c '(.doc.a | ascii_downcase) as $a | [(.resps[0][0] | ascii_downcase | contains($a)), .contains == 1] | .[0] == .[1]' | sort | uniq -c
lm-eval compare --tasks read_CQ,read_QCQ,read_QCCQ out | jq -c '.comparisons[] | [.base, .task, .metric, .n, .interval != null, .p_holm]'
lm-eval run --replay out -o again read.yaml && diff <(jq -S .results out/results.json) <(jq -S .results again/results.json) && echo replayed
# one order is the task itself; a member of a group; choices behind a reading; examples are read alike
task 'doc_to_reading: {context: context, question: "{{question}}?", order: QCQ, separator: " | "}' 'num_fewshot: 1' 'fewshot_config: {sampler: first_n}'
lm-eval run -m m --limit 2 -o one read.yaml; zstd -dc one/samples_read.jsonl.zst | jq -c '.arguments[0][0]' | tail -n 1
task "$reading"; printf '%s\n' 'group: all' 'task: [read]' > all.yaml; lm-eval --check all.yaml | jq -c .groups
printf '%s\n' 'task: pick' 'dataset: d.jsonl' 'output_type: multiple_choice' 'doc_to_target: 0' 'doc_to_choice: "{{[a, question]}}"' "$reading" > pick.yaml
lm-eval run -m m -o picked pick.yaml; zstd -dc picked/samples_pick_QCQ.jsonl.zst | jq -c '.arguments[1]' | head -n 1
# what is refused
refused() { lm-eval run -m m -o refused "${@:-read.yaml}"; echo "status $?"; }
for wrong in '{context: context}' '{context: context, question: question, order: [CQ, CQ]}' '{context: context, question: question, order: [CX]}' \
  '{context: context, question: question, orders: CQ}' '{context: context, question: question, kind: {a: 1}}' '{context: context, question: question, kind: stars}'; do
  task "doc_to_reading: $wrong"; refused
done
task "$reading" 'doc_to_text: question'; refused
jq -nc '{context: ("the end " * 40), question: "x", a: "y", kind: "attribute"}' >> d.jsonl; task "$reading"; refused
sed -i 's/^task: pick/task: read/' pick.yaml; refused pick.yaml
lm-eval compare --tasks read_CQ,read_CCC out; echo "status $?"
lm-eval compare --tasks read_CQ out; echo "status $?"
lm-eval compare --tasks read_CQ,read_QCQ out again; echo "status $?"
