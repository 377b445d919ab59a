# shellcheck shell=bash disable=SC2034
# run: digits of the records' ids, counted by a script in pieces.
verb=run
setup() { echo '{"when":{},"fn":"count_digits","input":{"meta":"item"}}' >"$work/count.script"; cat >"$work/ids.yaml" <<'END'
nodes:
- {id: pieces, op: split, in: [input.id], params: {by: chars, size: 3}}
- {id: counts, op: map, in: [pieces], do: {op: llm, template: "{{ item }}", parse: last_integer}}
- {id: answer, op: sum, in: [counts]}
answer: answer
END
}
args=(--graph "$work/ids.yaml" --engine "script:$work/count.script" --on-error fail)
foreign=append
bad_record='{"id":[7]}'
records=12000
runs=20
kills=4
fault_runs=10
starts=50
long_mb=15
