# What does not fit into --memory ends the run: 71, with record, node and size; calls wait for each other.
echo '{"when":{},"reply":"7"}' >seven.script
cat >double.yaml <<'END'
graphs:
  twice: {inputs: [s], nodes: [{id: both, op: concat, in: {a: s, b: s}, params: {separator: ""}}], answer: both}
nodes:
- {id: grown, op: loop, in: [input.text], params: {graph: twice, rounds: 60}}
- {id: answer, op: llm, in: [grown], template: "{{ grown }}"}
answer: answer
END
flow() { lm-flow run "$@" -z none -o out; echo "status $? $(test -e out && echo written)"; }
# The figures depend on what else is held.
figures() { sed 's/[0-9.]* [KMGT]\{0,1\}i\{0,1\}B/SIZE/g; s/--memory [0-9]*M/--memory SIZE/' >&2; }
echo '{"id":"a","text":"0123456789"}' | flow double.yaml --engine script:seven.script --memory 64M 2> >(figures)
cat >windows.yaml <<'END'
nodes:
- {id: pieces, op: split, in: [input.text], params: {by: chars, size: 100000, stride: 1}}
- {id: answer, op: filter, in: [pieces]}
answer: answer
END
jq -nc '{id: "w", text: ("0123456789" * 50000)}' >wide.jsonl
flow windows.yaml --engine script:seven.script wide.jsonl --memory 64M 2> >(figures)
cat >lines.yaml <<'END'
nodes:
- {id: pieces, op: split, in: [input.text], params: {by: chars, size: 250000}}
- {id: said, op: map, in: [pieces], do: {op: llm, template: "{{ item }}", parse: last_integer}}
- {id: answer, op: sum, in: [said]}
answer: answer
END
echo 'two prompts of 250 kB at a time, or all sixteen: the same'
for i in 1 2 3 4 5 6 7 8; do cat wide.jsonl; done >many.jsonl
for memory in 12M 1G; do lm-flow run lines.yaml --engine script:seven.script --memory $memory many.jsonl --drop-extra -z none | jq -c .flow | sort | uniq -c | tr -s ' '; done
echo 'a script'
for i in $(seq 40); do jq -nc --argjson i "$i" '{when: {id: "\($i)"}, reply: ("0123456789" * 10000)}'; done >large.script
echo '{"text":"a"}' | flow lines.yaml --engine script:large.script --memory 4M 2> >(figures)
echo '{"text":"a"}' | flow lines.yaml --engine script:large.script --memory 2M 2> >(figures)
