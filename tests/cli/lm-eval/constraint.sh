# Texts of a task are held to a language, of the task or of each document.
"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model m
cat > d.jsonl <<'R'
{"q":"the end","a":"yes","allowed":["yes","no"],"shape":{"type":"integer","minimum":10,"maximum":99}}
{"q":"in the","a":"42","allowed":["42","43"],"shape":{"const":"x"}}
{"q":"item","a":"x","allowed":null,"shape":null}
R
task() { printf '%s\n' "task: $1" 'dataset: d.jsonl' 'doc_to_text: q' 'doc_to_target: a' 'repeats: 3' \
  'generation_kwargs: {max_gen_toks: 9, do_sample: true, until: []}' "doc_to_constraint: $2" > "$1.yaml"; }
task pattern '{type: regex, value: "[a-c]{2}(-[0-9])?"}'
task own '{type: choices, value: allowed}'
task listed "{type: choices, value: \"{{[q + '!', 'b']}}\"}"
task shape '{type: json_schema, value: shape}'
task grammar '{type: grammar, value: "root ::= \"<\" [a-z] \">\""}'
task made '{type: regex, value: "{{a}}[.]"}'
texts() { zstd -dc "out/samples_$1.jsonl.zst" | jq -r ".resps[0][] | @json \"\(.)\"" ; }
lm-eval run -m m -o out pattern.yaml own.yaml listed.yaml shape.yaml grammar.yaml made.yaml
texts pattern | grep -cvE '^"[a-c]{2}(-[0-9])?"$'
zstd -dc out/samples_own.jsonl.zst | jq -c '[.doc.allowed as $all | .resps[0][] | $all == null or (. as $one | $all | index([$one]) != null)] | all'
texts listed | sort -u | grep -cvE '^"(b|the end!|in the!|item!)"$'
zstd -dc out/samples_shape.jsonl.zst | jq -c 'select(.doc_id < 2) | [.resps[0][] | fromjson | . == "x" or (. >= 10 and . <= 99)] | all'
texts grammar | grep -cvE '^"<[a-z]>"$'
texts made | sort | uniq -c
zstd -dc out/samples_own.jsonl.zst | jq -c '.arguments[0][1].constraint'
# with any batch and memory, and replayed
lm-eval run -m m --batch 1 --chunk 5 --memory 64M -o again pattern.yaml own.yaml listed.yaml shape.yaml grammar.yaml made.yaml; diff -r out again && echo same
lm-eval run --replay out -o replayed own.yaml shape.yaml
for t in own shape; do
  diff <(jq -S ".results.$t" out/results.json) <(jq -S ".results.$t" replayed/results.json) && echo same $t
done
# what is refused
for wrong in '{type: words, value: a}' '{type: regex}' '[a]' '{type: regex, value: a, more: 1}' '{type: regex, value: "("}' '{type: choices, value: a}'; do
  task wrong "$wrong"; lm-eval run -m m -o wrong wrong.yaml; echo "status $?"
done
task rolling '{type: regex, value: a}'; echo 'output_type: loglikelihood' >> rolling.yaml; lm-eval --check rolling.yaml; echo "status $?"
# what a document lacks, or is wrong in one of them, is said with its place
printf '%s\n' '{"q":"a","a":"x"}' '{"q":"b","a":"x","form":"[a-z]"}' > first.jsonl
printf '%s\n' '{"q":"a","a":"x","form":"[a-z]"}' '{"q":"b","a":"x","form":"("}' > second.jsonl
of() { task of "$2"; sed -i "s/d.jsonl/$1.jsonl/" of.yaml; lm-eval run -m m -o of of.yaml; echo "status $?"; }
of first '{type: regex, value: form}'
of second '{type: regex, value: form}'
of first '{type: json_schema, value: shape}'
of first '{type: grammar, value: rules}'
of first '{type: json_schema, value: "{\"maximum\": 1e400}"}'
of first '{type: json_schema, value: "{\"const\": \"\\ud800\"}"}'
sed -i 's/doc_to_text: q/doc_to_text: form/' of.yaml; lm-eval run -m m -o of of.yaml; echo "status $?"
