# No output is an input: every verb, every option that names a file, folders and what lies in them.
"$(dirname "$(command -v lm-merge)")"/helpers/make-tiny-model base
"$(dirname "$(command -v lm-merge)")"/helpers/make-tiny-model one 2
"$(dirname "$(command -v lm-merge)")"/helpers/make-tiny-model two 3
lm-merge lora-extract -q --base base one -r 2 -o lora
for i in $(seq 60); do printf '{"id":"r%d","s":"%s","text":"the thing in the end %d of the item"}\n' $i $([ $((i % 2)) = 0 ] && echo a || echo b) $i; done > corpus.jsonl
lm-merge ablate init -q --by s --valid 0.3 --test 0 -m base corpus.jsonl -o units 2> /dev/null
train() { lm-merge ablate train -q units --seed-model base --steps 1 --batch 2 --seq-len 4 "$@"; }
train -o pool
echo '["a","b"]' > sets; cp corpus.jsonl eval.jsonl
sums() { find base one two lora units pool sets eval.jsonl corpus.jsonl -type f -exec md5sum {} + | sort -k 2; }
sums > before
refused() { "$@" > /dev/null; echo "status $?"; sums | cmp - before; }
echo "# diff"
refused lm-merge diff base one -o one/model.safetensors
refused lm-merge diff base one -o base/config.json
refused lm-merge diff base one --report one/model.safetensors
refused lm-merge diff base one -o one/new.txt
ln -s one/model.safetensors link; refused lm-merge diff base one -o link
refused lm-merge diff base/model.safetensors one -o base/model.safetensors
echo "# merge"
refused lm-merge -n --method linear one two -o one/model.safetensors
refused lm-merge -n --method linear base+lora two -o lora/adapter_model.safetensors
refused lm-merge --method linear base+lora two -o lora
refused lm-merge --method linear one two -o one
refused lm-merge --method linear one two -o one/merged
refused lm-merge --method linear one two -o m --report two/config.json
refused lm-merge --method linear one two --tokenizer ./base -o m --report base/tokenizer.model
echo "# soup, lora-extract"
refused lm-merge soup --mode uniform one two -o one
refused lm-merge soup --mode greedy --eval eval.jsonl one two -o m --report eval.jsonl
refused lm-merge lora-extract --base base one -o base
refused lm-merge lora-extract --base base one -o l --report base/config.json
echo "# ablate"
refused lm-merge ablate init -m base corpus.jsonl -o u --report base/tokenizer.model
refused lm-merge ablate init -m base units/valid/a.jsonl.zst -o units
refused lm-merge ablate init -m base corpus.jsonl -o base/units
refused train -o base
refused train -o base/pool
refused train -o units
refused train -o p --report units/units.json
refused train -o p --sets sets --report sets
mkdir mine; touch mine/file; refused train -o mine; ls -A mine
refused lm-merge ablate eval pool --sets sets --eval eval.jsonl -o sets
refused lm-merge ablate eval pool --sets sets --eval eval.jsonl --report sets
refused lm-merge ablate eval pool --sets sets --eval eval.jsonl -o eval.jsonl
refused lm-merge ablate eval pool --eval eval.jsonl -o pool/a/ablate.json
ls
