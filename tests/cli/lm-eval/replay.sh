"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model m
for i in 0 1 2 3 4; do printf '{"q":"count %d","a":"%d"}\n' $i $i; done > d.jsonl
printf '%s\n' 'task: t' 'dataset: d.jsonl' 'doc_to_text: q' 'doc_to_target: a' 'generation_kwargs: {max_gen_toks: 6}' > t.yaml
lm-eval run -m m t.yaml -o one
lm-eval run --replay one t.yaml -o two; cmp <(zstd -dc one/samples_t.jsonl.zst) <(zstd -dc two/samples_t.jsonl.zst) && echo same
diff <(jq .results one/results.json) <(jq .results two/results.json) && echo same
printf '%s\n' 'metric_list: [{metric: chrf}, {metric: f1}]' >> t.yaml
lm-eval --replay one t.yaml | jq -c '.results.t | keys'
sed -i 's/doc_to_text: q/doc_to_text: "{{q}}?"/' t.yaml; lm-eval --replay one t.yaml; echo "status $?"
lm-eval --replay missing t.yaml; echo "status $?"
lm-eval --replay one -m m t.yaml; echo "status $?"
