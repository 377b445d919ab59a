# Holes that training makes are those of lm-transform infill; of shards they are new every epoch, and a stop
# changes nothing. Share 0 is the plain run.
names() { printf -- "--special-token %s " "$@"; }
lm-tokenize train -q -n 300 $(names '<|endoftext|>' '<mask_1>' '<mask_2>' '<mask_3>' '<sep>' '<eom>' '<fim_prefix>' '<fim_suffix>' '<fim_middle>') - -o tok/ <<"END"
{"text":"def f(x): return x the the def return"}
END
lm-tokenize train -q -n 260 --special-token '<|endoftext|>' - -o bare/ <<"END"
{"text":"def"}
END
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"text\":\""; for (j = 0; j < 3 + i % 20; ++j) printf "v%d = f(%d) ", (i * j) % 17, (i + j) % 10; print "\"}" } }' > docs.jsonl
lm-tokenize -q -m tok --eos --special text -z none docs.jsonl > ids.jsonl
lm-tokenize pack -q -m tok --eos docs.jsonl -o data
m='--arch llama --layers 1 --width 16 --heads 2 --seq-len 48 --batch 4 --lr 1e-2 --tokenizer tok'
n='--steps 8'
same() { cmp "$1/final/model.safetensors" "$2/final/model.safetensors"; }
differ() { cmp -s "$1/final/model.safetensors" "$2/final/model.safetensors" && echo "$1 is $2"; }
for format in codegen2 psm; do
  lm-transform infill --format $format --infill-rate 0.6 --seed 3 -m tok -q docs.jsonl | lm-train $m $n --seed 3 -o rows-$format
  lm-train $m $n --seed 3 --infill $format:0.6 -o $format ids.jsonl
  same rows-$format $format
done
differ codegen2 psm
jq -c '{id: "d\(input_line_number)"} + .' docs.jsonl > named.jsonl
lm-transform infill --infill-rate 0.6 --seed 3 -m tok -q named.jsonl | lm-train $m $n --seed 3 -o rows-named
lm-tokenize -q -m tok --eos --special text -z none named.jsonl | lm-train $m $n --seed 3 -t 2 --infill codegen2:0.6 -o named
same rows-named named
differ named codegen2
lm-train $m $n -o stream ids.jsonl
lm-train $m $n --infill codegen2:0 -o stream-0 ids.jsonl
same stream stream-0
# Shards: whole documents, in a new order every epoch.
s="$m --data data.json --order documents --steps 60"
lm-train $s -o plain
lm-train $s --infill codegen2:0 -o none
same plain none
lm-train $m --data data.json --steps 60 -o shuffled
differ plain shuffled
lm-train $s --infill codegen2:0.5 --span-ratio 0.1:0.3 --span-len 3 -o whole
differ plain whole
lm-train $s --infill codegen2:0.5 --span-ratio 0.1:0.3 --span-len 3 --save-every 11 -t 2 -o part
rm -r part/final part/latest part/step-00000060
lm-train $s --infill codegen2:0.5 --span-ratio 0.1:0.3 --span-len 3 --save-every 11 -o part
same whole part
cmp whole/final/state/state.json part/final/state/state.json
jq '.data | [.documents > 60, .samples]' -c whole/final/state/state.json
lm-train $m --data data.json --order documents --epochs 2 -o epochs
jq -s 'length' epochs/metrics.jsonl
jq '[.[] | length] | add' <(jq -c .input_ids ids.jsonl | jq -s .) 
try() { lm-train "$@"; echo "status $?"; }
echo '[refused]'
try $s --infill codegen2:1.5 -o no
try $s --infill codegen3:0.5 -o no
try $s --infill 0.5 -o no
try $s --span-len 3 -o no
try $s --infill codegen2:0.5 --span-len 0:2 -o no
try $m $n --data data.json --infill codegen2:0.5 -o no
try $n ${m/--tokenizer tok/--vocab 260} --infill codegen2:0.5 -o no ids.jsonl
try $n ${m/tokenizer tok/tokenizer bare} --infill codegen2:0.5 -o no ids.jsonl
try $m $n --order streams -o no ids.jsonl
try $m $n --data data.json --order documents --weight 1 -o no
try --init-from whole/final --objective sft --order documents --steps 1 -o no docs.jsonl
# A document that has a token of the format already.
mask=$(jq '.added_tokens[] | select(.content == "<mask_1>") | .id' tok/tokenizer.json)
jq -c --argjson m "$mask" 'if input_line_number == 3 then .input_ids[2] = $m else . end' ids.jsonl > odd.jsonl
try $m $n --infill codegen2:1 -o odd odd.jsonl
lm-train $m --infill codegen2:1 --on-error skip --steps 2 -o skips odd.jsonl; echo "status $?"
[ ! -e no ] || echo left
