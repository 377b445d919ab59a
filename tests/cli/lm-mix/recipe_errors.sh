# What a recipe has wrong is named with file and line.
mkdir -p documents; echo '{"id":1,"text":"t","attributes":{"e__t__good":[]}}' > documents/a.jsonl
base='streams:
  - name: s
    documents: documents/a.jsonl
    output: {path: out}'
try() { printf '%s\n' "$base" "$@" > r.yaml; lm-mix --recipe r.yaml; echo "status $?"; [ ! -e out ] || ls out; rm -rf out; }
try '    fliter: {}'
try '    filter: {includes: [x]}'
try '    where: "a =="'
try '    where: ["a == 1", "b ==="]'
try '    filter: {exclude: ["$.a[?(@.b]"]}'
try '    filter: {syntax: jq, exclude: [".a |"]}'
try '    filter: {syntax: xpath, exclude: [".a"]}'
try '    drop: score("e.t.bad") > 1'
try '    drop: score("e__t__god") > 1'
try '    filter: {exclude: ["$.attributes[?(@.e__t__god)]"]}'
try '    filter: {syntax: jq, exclude: [".attributes.e__t__god[0][2] > 1"]}'
try '    span_replacement: [{span: "$.attributes.x", replacement: "${oc.env:X}"}]'
try '    span_replacement: [{span: "$.attributes.x", min_score: 1, max_score: 1}]'
try '    attributes: [none]'
try '    sample: "2 *"'
try '    sample: 2' '    budget: 5'
try '    by: length(text)'
try '    compression: {output: gz}'
try '    sample:'
try '    sample: [1, 2]'
try '    sample: {p: 1}'
try '    filter: no'
try '    filter: [a]'
try '    shuffle: maybe'
try '    min_text_length: {}'
try '    span_replacement: [{span: "$.attributes.x", min_score: high}]'
try '    span_replacement: [{span: null, min_score: [1]}]'
try '    where: "n > 1"' '    require: true'
try '    shuffle: 3'
try '  - {name: s, documents: documents, output: {path: out/}}'
try '  - {name: t, documents: [documents, documents/a.jsonl], output: {path: out}}'
try '  - {name: t, documents: "nothing/*", output: {path: out}}'
try '  - {name: t, documents: "s3://b/x", output: {path: out}}'
try '  - {name: a/b, documents: documents, output: {path: out}}'
try '  - {name: t, documents: documents, output: {}}'
try 'shuffle: false'
try 'dryrun: true'
try 'process: 3'
echo '[1, 2' > r.yaml; lm-mix --recipe r.yaml; echo "status $?"
echo 'processes: 3' > r.yaml; lm-mix --recipe r.yaml; echo "status $?"
lm-mix --recipe no.yaml; echo "status $?"
printf '%s\n' "$base" > r.yaml
lm-mix --recipe r.yaml documents/a.jsonl; echo "status $?"
lm-mix --recipe r.yaml -o x.jsonl; echo "status $?"
# A bad record of the second stream: nothing of the first appears.
echo '{"id":' > documents/b.jsonl
printf '%s\n' "$base" '  - {name: t, documents: documents/b.jsonl, output: {path: out}}' > r.yaml
lm-mix --recipe r.yaml; echo "status $?"; [ -e out ] || echo absent
lm-mix --recipe r.yaml --on-error quarantine --rejects bad.jsonl --report r.json; echo "status $?"; ls out
jq -c '.metrics.streams[] | [.name, .rejected, .kept.records]' r.json
