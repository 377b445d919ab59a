# Graphs of one's own: operations, recursion, votes of samples, retries.
cat >rules.script <<'END'
{"when":{"meta.role":"upper"},"fn":"echo","input":{"meta":"s"},"prefix":"<","suffix":">"}
{"when":{"meta.role":"vote"},"replies":["yes","no","yes"]}
{"when":{"meta.role":"again"},"reply":"what?","times":2}
{"when":{"meta.role":"again"},"reply":"It is 42."}
{"when":{"meta.role":"join"},"fn":"jsonpath","input":{"meta":"items"},"path":"0"}
END
run() { lm-flow run "$@" --engine script:rules.script -z none | jq -c '.flow | [.answer, .cost.calls]'; }
cat >halves.yaml <<'END'
graphs:
  solve:
    inputs: [s]
    nodes:
    - {id: upper, op: llm, if: "s|length <= 3", in: [s], template: "{{ s }}"}
    - {id: left, op: format, if: "s|length > 3", in: [s], template: "{{ s[:3] }}"}
    - {id: right, op: format, if: "s|length > 3", in: [s], template: "{{ s[3:] }}"}
    - {id: first, op: expand, in: {s: left}, params: {graph: solve, depth: 9}}
    - {id: rest, op: expand, in: {s: right}, params: {graph: solve, depth: 9}}
    - {id: both, op: concat, in: [first, rest], params: {separator: ""}}
    - {id: answer, op: choose, in: [upper, both]}
    answer: answer
nodes:
- {id: x, op: expand, in: [input.text], params: {graph: solve, depth: 9}}
answer: x
END
echo '{"text":"abcdefgh"}' | run halves.yaml
cat >vote.json <<'END'
{"nodes": [
  {"id": "vote", "op": "llm", "in": ["input.text"], "template": "{{ text }}?", "params": {"samples": 3},
   "parse": {"kind": "choice", "choices": ["yes", "no"]}},
  {"id": "answer", "op": "majority", "in": ["vote"]}], "answer": "answer"}
END
echo '{"text":"really"}' | run vote.json
cat >again.yaml <<'END'
params: {tries: 3}
nodes:
- {id: again, op: llm, in: [input.text], template: "{{ text }}", params: {tries: "{{ tries }}"}, parse: last_integer}
answer: again
END
echo '{"text":"how much"}' | run again.yaml
cat >tree.yaml <<'END'
nodes:
- {id: lines, op: split, in: [input.text], params: {by: lines, size: 1}}
- {id: join, op: tree, in: [lines], params: {arity: 2}, do: {op: llm, template: "{{ items|join }}"}}
answer: join
END
echo '{"text":"a\nb\nc\nd\ne"}' | run tree.yaml
echo 'too few tries'
lm-flow run again.yaml --set tries=1 --engine script:rules.script -z none <<<'{"text":"x"}'
