# Models and recipes that cannot be merged: named, and nothing is written.
seq 1 100 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
o='-q --seq-len 8 --batch 2 --steps 1'
lm-train $o --arch llama --layers 2 --width 16 --heads 2 --vocab 16 -o run1 ids.jsonl; cp -rL run1/final a
lm-train $o --arch llama --layers 2 --width 16 --heads 2 --vocab 24 -o run2 ids.jsonl; cp -rL run2/final wide
lm-train $o --arch llama --layers 1 --width 16 --heads 2 --vocab 16 -o run3 ids.jsonl; cp -rL run3/final short
lm-train $o --arch gpt2 --layers 2 --width 16 --heads 2 --vocab 16 -o run4 ids.jsonl; cp -rL run4/final gpt
try() { lm-merge "$@" -o out; echo "status $?"; }
try --method linear a wide
try --method linear a wide --embed common && jq .vocab_size out/config.json && rm -r out
try --method linear a short
try --method linear a short --missing skip && rm -r out
try --method linear a gpt
try --method linear a none
try --method linear a org/model
try --method ties a a
try --method ties --base a a:densty=.5 a
try --method ties --base a a:density=1.5 a
try --method linaer a a
try --method slerp --base a a a a
try --method slerp --base a short a
try --method slerp --base a a
try --method linear a:much
try --method linear a:0 a:0
try --method linear --set normalise=false a
try --method della --base a run1/final:1:density=.9
try --method linear a --include '('
try a a
try a
try
try none.yaml
printf 'merge_method: linear\nmodels:\n  - model: a\n    parameters: {wieght: 1}\n' > r.yaml; try r.yaml
printf 'merge_method: linear\nmodles:\n  - model: a\n' > r.yaml; try r.yaml
printf 'merge_method: passthrough\nslices:\n  - sources: [{model: a, layer_range: [0, 3]}]\n' > r.yaml; try r.yaml
printf 'a: [' > r.yaml; try r.yaml
# files that lie
header() { printf "$(printf '\\x%02x\\0\\0\\0\\0\\0\\0\\0' ${#1})%s" "$1"; }
mkdir bad
bad() { try --method passthrough bad; }
printf 'short' > bad/model.safetensors; bad
printf '\xff\xff\xff\xff\0\0\0\0{}' > bad/model.safetensors; bad
{ header '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'; printf 'abcd'; } > bad/model.safetensors; bad
{ header '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}'; printf 'abcdef'; } > bad/model.safetensors; bad
{ header '{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}'; printf 'abcd'; } > bad/model.safetensors; bad
{ header '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'; printf 'abcdefgh'; } > bad/model.safetensors; bad
{ header '{"x\u0000y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'; printf '\0\0\200\177'; } > bad/model.safetensors; bad
try --method passthrough bad --allow-nonfinite; rm -rf out
ls -A
# what a method needs, and patterns that leave nothing
lm-merge --method regmean a a -o out; echo "status $?"
lm-merge --method linear --include nothing a a -o out; echo "status $?"
# weights that cancel, of a command line and of a recipe; lists without models
try --method linear a:1 a:-1
try --method linear --set normalize=false a:1 a:-1 && rm -r out
printf 'merge_method: linear\nmodels:\n  - {model: a, parameters: {weight: 1}}\n  - {model: a, parameters: {weight: -1}}\n' > r.yaml; try r.yaml
printf 'merge_method: linear\nmodels: []\n' > r.yaml; try r.yaml
printf 'merge_method: linear\nmodels: a\n' > r.yaml; try r.yaml
# models of different width, where no choice of rows helps
lm-train $o --arch llama --layers 2 --width 8 --heads 2 --vocab 16 -o run5 ids.jsonl; cp -rL run5/final narrow
try --method linear a narrow
# a config.json that is another model's
other() { rm -rf lies; cp -r a lies; jq "$1" a/config.json > lies/config.json; try --method linear lies "${2-a}"; }
other '.hidden_size = 32 | .head_dim = 8'
other '.num_hidden_layers = 3'
other '.num_hidden_layers = 1'
other '.intermediate_size += 1'
other '.model_type = "unheard" | .num_hidden_layers = 3' lies
other '.model_type = "unheard"' lies && rm -r out
rm -rf lies; cp -r a lies; jq '.num_hidden_layers = 7' a/config.json > lies/config.json; try --method linear --base a lies a && rm -r out
