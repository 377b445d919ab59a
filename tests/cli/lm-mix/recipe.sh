# A configuration of Dolma's mixer as it is: globs, attribute files, both syntaxes, span replacement,
# several streams; then the keys of our own.
mkdir -p data/documents/p data/attributes/pii/p data/attributes/tox/p
for f in 0 1; do for i in 1 2 3; do
  echo "{\"id\":\"d$f$i\",\"text\":\"mail a@b.c of document $i\",\"source\":\"s$f\",\"metadata\":{\"length\":$((i * 100))},\"x\":1.50}"; done > data/documents/p/$f.jsonl; done
jq -c '{id, attributes: {pii: {email: [[5, 10, 0.9]], names: []}}}' data/documents/p/0.jsonl > data/attributes/pii/p/0.jsonl
jq -c '{id, attributes: {pii: {email: [[5, 10, 0.1]], names: [[14, 22, 1]]}}}' data/documents/p/1.jsonl > data/attributes/pii/p/1.jsonl
for f in 0 1; do jq -c '{id, attributes: {tox: (.metadata.length / 400)}}' data/documents/p/$f.jsonl > data/attributes/tox/p/$f.jsonl; done
cat > mixer.json <<'EOF'
{"streams": [{
    "name": "web",
    "documents": ["data/documents/**/*.jsonl"],
    "attributes": ["pii", "tox"],
    "filter": {
        "include": ["$.metadata[?(@.length < 10000)]"],
        "exclude": ["$.attributes[?(@.tox > 0.7)]", "$.attributes[?(@.pii.too_much == true)]"]
    },
    "span_replacement": [
        {"span": "$.attributes.pii.email", "min_score": 0.5, "replacement": "[{}]"},
        {"span": ".attributes?.pii?.names?", "min_score": 0.5, "replacement": "", "syntax": "jq"}
    ],
    "output": {"path": "out", "max_size_in_bytes": 250, "discard_fields": ["source"]}
 }],
 "work_dir": {"input": "/tmp/in", "output": "/tmp/out"}, "processes": 4}
EOF
r() { lm-mix "$@"; echo "status $?"; }
r -v --recipe mixer.json --provenance --report r.json 2>&1 | grep -e effect -e status
ls out; zstd -dcq out/web-0000?.jsonl.zst; jq -c '.outputs[] | [.name, .records]' out/web.manifest.json
jq -c '.metrics.streams[] | [.name, .rejected, .removed.records, .kept.records, [.rules[] | [.name, .matched]]]' r.json
# D-31: what is there is an error, unless it is of the same recipe and inputs.
r --recipe mixer.json --provenance
r -v --recipe mixer.json --provenance --skip-complete 2>&1 | grep -e complete -e status
r --recipe mixer.json --skip-complete
touch -d 2001-01-01 data/documents/p/0.jsonl; r --recipe mixer.json --provenance --skip-complete
# The same bytes for any threads; what the rules remove, without records.
for t in 1 2 7; do rm -r out; lm-mix --recipe mixer.json -t $t; cat out/*.zst | cksum; done | uniq -c | wc -l
# Settings fed back make the same run.
rm -r out; lm-mix --print-config --recipe mixer.json > run.toml; r --config run.toml; cat out/*.zst | cksum > fed; rm -r out; lm-mix --recipe mixer.json; cat out/*.zst | cksum | cmp - fed && echo same
r --report-only --recipe mixer.json
cat > own.yaml <<'EOF'
streams:
  - name: all
    documents: data/documents/p
    where: 'metadata.length >= 200'
    drop: ['late=id == "d13"']
    sample: 2
    unique_ids: true
    output: {path: own}
  - name: jq
    documents: [data/documents/p/1.jsonl]
    filter: {syntax: jq, include: ['.metadata.length == 100', '.id == "d13"'], exclude: ['.x > 2']}
    shuffle: yes
    min_text_length: 10
    discard: [metadata, source]
    output: {path: own/deeper, max_size: 1K}
    compression: {input: gz, output: ""}
EOF
r --recipe own.yaml; ls own own/deeper; zstd -dcq own/all-00000.jsonl.zst; cat own/deeper/jq-00000.jsonl
