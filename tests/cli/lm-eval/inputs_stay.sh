# No output is an input: models, tokenizers, task files, their data, results of other runs.
"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model m
for i in $(seq 6); do printf '{"id":%d,"lang":"eng","q":"the item %d","text":"the end %d"}\n' $i $i $i; done > d.jsonl
printf '%s\n' 'dataset: d.jsonl' 'doc_to_text: ""' > common.yaml
printf '%s\n' 'task: t' 'include: common.yaml' 'output_type: multiple_choice' 'doc_to_target: 0' 'doc_to_choice: [x, y]' > t.yaml
echo '{"eng":1}' > w.json
lm-eval -m m t.yaml -o r; lm-eval -m m t.yaml -o s; mkdir tok; cp m/tokenizer.* tok
sums() { find m r s tok d.jsonl common.yaml t.yaml w.json -type f -exec md5sum {} + | sort -k 2; }
sums > before
refused() { lm-eval "$@" > /dev/null; echo "status $?"; sums | cmp - before; }
echo "# run"
for f in d.jsonl common.yaml t.yaml m/config.json; do refused -m m t.yaml --report $f; done
refused -m m t.yaml --check -o common.yaml
refused -m m --tokenizer tok t.yaml --report tok/tokenizer.model
refused -m m t.yaml -o m
refused -m m t.yaml -o m/results
refused -m m t.yaml -o n --report n/results.json
refused --replay r t.yaml -o r
refused --replay r t.yaml --report r/results.json
refused --replay r t.yaml -o r/again
echo "# compare"
refused compare r s -o r/results.json
refused compare r s -o s/samples_t.jsonl.zst
refused compare r s --report s/results.json
echo "# languages"
refused parity --tokenizer m d.jsonl -o m/tokenizer.model
refused parity --tokenizer m d.jsonl -o d.jsonl
refused parity --tokenizer m --weights w.json d.jsonl -o w.json
refused bpb -m m d.jsonl -o m/model.safetensors
refused bpb -m m d.jsonl --report m/config.json
refused languages d.jsonl --report d.jsonl
lm-eval -m m t.yaml -o r && lm-eval compare r s -o out.json --report report.json && ls
