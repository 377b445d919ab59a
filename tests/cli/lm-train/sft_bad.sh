# Records that cannot be used, each with its reason; what is cut is counted.
for i in $(seq 0 99); do printf '{"text":"say %d: "}\n' $((i % 10)); done > docs.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize train -q -n 262 docs.jsonl -o plain.json
m='--arch llama --layers 1 --width 16 --heads 2 --objective sft --seq-len 12 --batch 2 --steps 2'
cat > bad.jsonl <<'J'
{"prompt":"say 1: ","completion":"2"}
{"completion":"2"}
{"prompt":"say 1: "}
{"prompt":"say 1: ","completion":""}
{"prompt":"say 1: ","completion":7}
{"prompt":"a long prompt that fills everything","completion":"2"}
{"prompt":"say 1: ","completion":"a long completion"}
{"prompt":"","completion":"2"}
{"prompt_ids":[1,2]}
{"prompt_ids":[1,2],"completion_ids":[]}
{"prompt_ids":[1,999],"completion_ids":[3]}
{"input_ids":[1,2,3],"loss_mask":[0,1]}
{"input_ids":[1,2,3]}
{"input_ids":[1,2,3],"loss_mask":[1,0,0]}
{"input_ids":[1,2,3],"loss_mask":[0,2,0]}
{"text":"say 1"}
{"prompt":"say 1: ","prompt_ids":[1],"completion":"2"}
{"prompt_ids":[1],"completion":"2","completion_ids":[2]}
{"prompt":"say 1: ","completion":"2","input_ids":[1,2],"loss_mask":[0,1]}
J
try() { lm-train "$@"; echo "status $?"; }
try $m --tokenizer tok.json -o run bad.jsonl
try $m --tokenizer tok.json -o run --on-error quarantine --rejects rejects.jsonl --report r.json bad.jsonl 2> err
jq -c '[.error.line, .error.code, .error.detail]' rejects.jsonl
jq -c '.metrics.records_truncated' r.json
try $m --tokenizer tok.json -o cut --too-long truncate --on-error skip --report r.json bad.jsonl 2>&1 | grep -v -e bad.jsonl: -e 'hint:'
jq -c '.metrics.records_truncated' r.json
head -n 1 bad.jsonl > good.jsonl
try $m --tokenizer plain.json -o run2 good.jsonl
try $m --tokenizer plain.json --no-eos -o run2 good.jsonl
try $m --vocab 300 --no-eos -o run3 good.jsonl
: > none.jsonl
try $m --tokenizer tok.json -o run4 none.jsonl
for i in $(seq 3000); do cat good.jsonl; done > many.jsonl
try $m --tokenizer tok.json -o run5 --memory 200K many.jsonl 2>&1 | sed -E 's/[0-9.]+ [KM]iB/N/g'
lm-tokenize pack -q -m tok.json docs.jsonl -o data
try $m -o run6 --data data.json
try $m --tokenizer tok.json -o run6 --eval-data data.json good.jsonl
try --arch gpt2 --layers 1 --width 8 --heads 2 --steps 1 --loss-on all -o run6 --data data.json
ls -d run*
