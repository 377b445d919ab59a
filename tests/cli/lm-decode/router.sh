# A classifier of texts, and adapters chosen by it.
for i in $(seq 0 79); do printf '{"id":%d,"way":"%s","prompt":"%s %d: ","completion":"%d"}\n' $i "$([ $((i % 2)) = 0 ] && echo up || echo down)" "$([ $((i % 2)) = 0 ] && echo after || echo before)" $((i % 10)) $(((i + (i % 2 == 0 ? 1 : 9)) % 10)); done > all.jsonl
jq -c '{text:(.prompt+.completion)}' all.jsonl | lm-tokenize train -q -n 270 --special-token '<|endoftext|>' - -o tok.json 2>/dev/null
o='-q --arch llama --layers 1 --width 32 --heads 2 --seq-len 32 --batch 8 --tokenizer tok.json --lr 5e-3 --objective classify --label-field way'
lm-train $o --labels up,down --epochs 20 -o router all.jsonl
jq -c '[.architectures[0], .id2label]' router/final/config.json
tail -n 1 router/metrics.jsonl | jq -c '[.loss < 0.1, .label_probability > 0.9]'
# Threads, and a stop with its continuation, change nothing.
lm-train $o --labels up,down --epochs 20 -t 2 -o threads all.jsonl; cmp router/final/model.safetensors threads/final/model.safetensors
lm-train $o --labels up,down --steps 10 --warmup 0 --schedule constant -o long all.jsonl
lm-train $o --labels up,down --steps 5 --warmup 0 --schedule constant --save-every 5 -o short all.jsonl
lm-train $o --labels up,down --steps 10 --warmup 0 --schedule constant --extend -o short all.jsonl
cmp long/final/model.safetensors short/final/model.safetensors
lm-train $o --labels down,up --steps 10 --warmup 0 --schedule constant --resume auto -o short all.jsonl; echo "status $?"
# Adapters by its choice are those that records would have named.
lm-train -q --arch llama --layers 1 --width 32 --heads 2 --seq-len 32 --batch 8 --tokenizer tok.json --lr 5e-3 --objective sft --steps 5 -o base all.jsonl
for kind in up down; do
  grep "\"$kind\"" all.jsonl | lm-train -q --init-from base/final --lora r=2 --objective sft --steps 5 --lr 1e-2 -o $kind
done
d='-q -m base/final --adapter up=up/final --adapter down=down/final --max-tokens 3 --seed 1 -z none'
lm-decode $d --adapter-field way all.jsonl | jq -c .completions > named
jq -c 'del(.way)' all.jsonl > bare.jsonl
lm-decode $d --adapter-router router/final bare.jsonl -o routed.jsonl
jq -c .completions routed.jsonl | cmp - named
jq -c .adapter routed.jsonl | sort | uniq -c | awk '{print $1, $2}'
lm-decode $d --adapter-router router/final --route soft:2 bare.jsonl | jq -c '.adapter | [(keys | length), (add * 1000 | round)]' | sort -u
# A record's own choice stands.
jq -c '.adapter = "down"' bare.jsonl | lm-decode $d --adapter-router router/final - | jq -c .adapter | sort -u
lm-decode $d --adapter-router router/final --resume routed.jsonl --report r.json bare.jsonl -o again.jsonl
cmp routed.jsonl again.jsonl; jq -c .metrics.throughput.reused_records r.json
# What does not fit.
try() { "$@"; echo "status $?"; }
try lm-decode -m base/final --adapter-router router/final bare.jsonl -o x.jsonl
try lm-decode -m base/final --adapter up=up/final --adapter-router router/final bare.jsonl -o x.jsonl
try lm-decode $d --adapter-router base/final bare.jsonl -o x.jsonl
try lm-decode $d --adapter-router router/final --route soft:0 bare.jsonl -o x.jsonl
echo '{"tokens":[1,2]}' | lm-decode $d --adapter-router router/final | jq -c .error
try lm-train $o -o x all.jsonl
try lm-train $o --labels up,up -o x all.jsonl
try lm-train $o --labels up -o x all.jsonl
try lm-train $o --labels up,left --steps 1 -o x all.jsonl
try lm-train -q --init-from router/final --objective classify --labels a,b,c --steps 1 -o x all.jsonl
