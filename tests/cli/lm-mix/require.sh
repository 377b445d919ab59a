# A run or a stream of which nothing is left is an error where --require says so.
printf '{"id":%d,"text":"t","n":%d}\n' 1 1 2 2 > in.jsonl
s() { lm-mix "$@" -z none; echo "status $?"; }
s --where 'n > 1' --require in.jsonl
s --where 'n > 2' in.jsonl
s --where 'n > 2' --require in.jsonl
lm-mix --where 'n > 2' --require --report-only in.jsonl > /dev/null; echo "status $?"
s --where 'n > 2' --require in.jsonl -o out.jsonl; [ -e out.jsonl ] || echo absent
s --require --reservoir 1 --where 'n > 2' in.jsonl
: > none.jsonl; s --require none.jsonl
mkdir documents; mv in.jsonl documents
printf '%s\n' 'streams:' '- {name: a, documents: documents, output: {path: out}}' \
  '- {name: b, documents: documents, where: n > 2, require: true, output: {path: out}}' > r.yaml
lm-mix --recipe r.yaml; echo "status $?"; [ -e out ] || echo 'no folder'
sed -i s/true/false/ r.yaml; lm-mix --recipe r.yaml; echo "status $?"; ls out
