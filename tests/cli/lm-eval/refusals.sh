"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model m
printf '{"q":"a","a":0}\n{"q":"b"}\n' > d.jsonl
task() { printf 'task: t\ndataset: d.jsonl\noutput_type: multiple_choice\ndoc_to_text: q\ndoc_to_target: "{{a}}"\ndoc_to_choice: [x, y]\n' > t.yaml; printf '%s\n' "$@" >> t.yaml; }
try() { lm-eval "$@"; echo "status $?"; }
task; try t.yaml
try -m m
try -m m t.yaml
try -m m --limit 0 t.yaml
try -m m --limit 1.5 t.yaml
task 'num_fewshoot: 3'; try -m m t.yaml
task 'process_docs: !function utils.f'; try -m m t.yaml
task 'description: "{% if %}"'; try -m m t.yaml
task 'filter_list: [{name: f, filter: [{function: regex}]}]'; try -m m t.yaml
task 'num_fewshot: 5'; try -m m t.yaml
printf '{"q":\n' >> d.jsonl; task; try -m m --limit 1 t.yaml
printf 'task: [\n' > bad.yaml; try -m m bad.yaml
try -m m none.yaml
try -m none t.yaml
# a folder of somebody else's is not replaced, and a failed run leaves nothing
mkdir other; touch other/file; try -m m t.yaml -o other
try -m m t.yaml -o new; ls -A
try compare one
try bpb -m m --pivot x < /dev/null
echo '{"text":"a"}' | try bpb -m m
try parity < /dev/null
echo '{"lang":"a","scores":[]}' | try languages
