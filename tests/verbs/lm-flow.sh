# shellcheck shell=bash
setup() {
  echo '{"when":{},"fn":"count_digits","input":{"meta":"item"},"noise":{"kind":"binomial_miss","rate":0.05}}' >count.script
  cat >lines.yaml <<'END'
nodes:
- {id: lines, op: split, in: [input.text], params: {by: lines, size: 2}}
- {id: counts, op: map, in: [lines], do: {op: llm, template: "{{ item }}", parse: last_integer}}
- {id: answer, op: sum, in: [counts]}
answer: answer
END
}
table() {
  local all='.output.records + bad' s='--on-error skip' time='--call-time 1,0.01,0,0.01,0'
  # shellcheck disable=SC2086
  verb=run row run shards "$all" ../lines.yaml --engine script:../count.script $s $time ../in.zst -o out.zst
  # shellcheck disable=SC2086
  verb=run row trace shards "$all" ../lines.yaml --engine script:../count.script $s --trace --batch 3 ../in.zst -o out.zst
  verb=gen row gen plain - needle -n 300 --length 900 -o out.zst
  # shellcheck disable=SC2086
  verb=calibrate row calibrate plain - count --engine script:../count.script $time --sizes 10,20 -o out.json
  # shellcheck disable=SC2086
  verb=check row check plain - count --engine script:../count.script $time --sizes 10,20,40 --length 60 --check-sizes 15 --trials 80
}
