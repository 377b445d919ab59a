# Messages that name what helps, and only options that the verb has; texts are not compressed.
"$(dirname "$(command -v lm-merge)")"/helpers/make-tiny-model base
"$(dirname "$(command -v lm-merge)")"/helpers/make-tiny-model one 2
try() { lm-merge "$@"; echo "status $?"; }
echo '{"text":7}' > bad.jsonl; echo '{"text":"the end"}' > good.jsonl
try soup --eval bad.jsonl base one -o m
try soup --mode uniform --eval good.jsonl base one -o m
try diff base one -o d.jsonl.zst
try -n --method linear base one -o plan.jsonl.zst
try --method linear base:1e308 one -o m
try lora-extract --base base one --sv-epsilon 100 -o lora
# a model with a weight that is not a number
cp -r base holed; printf '\377\377\377\177' | dd of=holed/model.safetensors bs=1 seek=$(($(stat -c %s base/model.safetensors) - 4)) conv=notrunc status=none
lm-merge diff --json base holed | jq -c '[.state, .distance, .cosine, .max_abs]'
lm-merge diff base holed | awk 'NR == 2 { print $1, $3, $6 }'
mkdir pool; for m in a b; do cp -r holed pool/$m; printf '{"units":["%s"],"key":"","unit_tokens":1,"trained_tokens":1,"made_with":"x"}\n' $m > pool/$m/ablate.json; done
try ablate eval pool --eval good.jsonl -o scores
# keys that are names of the folder's own files
for i in $(seq 8); do printf '{"source":"%s","text":"the thing in the end %d of the item"}\n' $([ $((i % 2)) = 0 ] && echo units.json || echo valid) $i; done > corpus.jsonl
lm-merge ablate init -q --by source --valid 0.3 --test 0 -m base corpus.jsonl -o units; echo "status $?"; jq -c '.units[] | [.name, .key]' units/units.json
# units that are shorter than a sequence: the same command would not help
lm-merge ablate train units --seed-model base --steps 1 --batch 2 -o p > /dev/null 2> err; echo "status $?"; cat err
# scores that are none
row() { printf '{"kind":"single","set":["a"],"eval":"e","nll":1,"tokens":5}\n' | jq -c "$1" > scores.jsonl; try ablate report scores.jsonl; }
for f in '.nll = -1' '.nll = 1e308' '.size = 2' '.tokens = 0' '.bytes_read = -1' '.set = ["a", "a"]'; do row "$f"; done
row '.size = 1'
try ablate report -z none scores.jsonl
try ablate report scores.jsonl -o report.zst
printf '{"kind":"other"}\n' > truth; try ablate report --truth truth scores.jsonl
ls
