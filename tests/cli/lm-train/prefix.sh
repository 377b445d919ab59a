# Prefixes that see all of themselves: of records, and drawn for documents.
names() { printf -- "--special-token %s " "$@"; }
lm-tokenize train -q -n 300 $(names '<|endoftext|>' '<mask_1>' '<mask_2>' '<sep>' '<eom>') - -o tok/ <<"END"
{"text":"def f(x): return x the the def return"}
END
awk 'BEGIN { for (i = 0; i < 60; ++i) { printf "{\"text\":\""; for (j = 0; j < 4 + i % 8; ++j) printf "v%d = f(%d) ", (i * j) % 17, (i + j) % 10; print "\"}" } }' > docs.jsonl
lm-tokenize pack -q -m tok docs.jsonl -o data
m='--arch llama --layers 2 --width 16 --heads 2 --seq-len 160 --batch 4 --lr 1e-2 --tokenizer tok --steps 6'
same() { cmp "$1/final/model.safetensors" "$2/final/model.safetensors"; }
differ() { cmp -s "$1/final/model.safetensors" "$2/final/model.safetensors" && echo "$1 is $2"; }
lm-transform infill --infill-rate 0.5 --prefix-rate 0.5 --variant b --seed 3 -m tok -q -z none docs.jsonl > rows.jsonl
jq -c '[.infill.kind, (.prefix_len as $p | .loss_mask[:$p] | add) == 0]' rows.jsonl | sort -u
r="$m --objective sft"
lm-train $r -o causal rows.jsonl
lm-train $r --prefix-mask -o prefix rows.jsonl
differ causal prefix
jq -s '.[0].loss > 1' prefix/metrics.jsonl
# The same targets either way; no prefix, no difference.
lm-train $r --prefix-mask --no-prefix-mask -o causal rows.jsonl; echo "status $?"
jq -c '.prefix_len = 0' rows.jsonl > zero.jsonl
lm-train $r --prefix-mask -o zero zero.jsonl
same zero causal
# Prompts are prefixes: of texts, and of the same with prefix_len.
awk 'BEGIN { for (i = 0; i < 40; ++i) printf "{\"prompt\":\"f(%d) =\",\"completion\":\" %d\"}\n", i % 10, 9 - i % 10 }' > qa.jsonl
lm-tokenize -q -m tok --field prompt --ids-field p -z none qa.jsonl | lm-tokenize -q -m tok --field completion --ids-field c -z none |
  jq -c '{input_ids: (.p + .c + [0]), loss_mask: ([.p[] | 0] + [.c[] | 1] + [1]), prefix_len: (.p | length)}' > ids.jsonl
lm-train $r --prefix-mask -o texts qa.jsonl
lm-train $r --prefix-mask -o ids ids.jsonl
same texts ids
lm-train $r -o plain qa.jsonl
differ plain texts
# Documents: drawn anew for every row; threads, micro-batches and a stop change nothing.
p="${m/--steps 6/--steps 12} --objective prefix-lm --data data.json --seq-len 48"
lm-train $p --micro-batch 4 -t 1 -o whole
lm-train $p --micro-batch 4 -t 2 --save-every 5 -o part
rm -r part/final part/latest part/step-00000012
lm-train $p --micro-batch 4 --save-every 5 -o part
same whole part
lm-train ${p/prefix-lm/next-token} -o next
differ whole next
jq -c '[.step, has("bpb")]' whole/metrics.jsonl | head -n 1
lm-train $p --doc-mask -o masked
differ whole masked
lm-decode -q -m whole/final --greedy --max-tokens 3 -z none qa.jsonl | wc -l
try() { lm-train "$@" 2>&1 | sed -E 's/[0-9a-f]{16}/D/g'; echo "status ${PIPESTATUS[0]}"; }
echo '[refused]'
try ${p/prefix-lm/next-token} --micro-batch 4 -o whole
jq -c 'del(.prefix_len)' rows.jsonl > none.jsonl
try $r --prefix-mask -o no none.jsonl
jq -c '.prefix_len = 1000' rows.jsonl > far.jsonl
try $r --prefix-mask -o no far.jsonl
jq -c '.prefix_len = (.input_ids | length)' rows.jsonl > all.jsonl
try $r --prefix-mask -o no all.jsonl
try $m --prefix-mask --data data.json -o no
try --arch mistral --layers 1 --width 16 --heads 2 --window 8 --seq-len 16 --batch 4 --steps 2 --objective prefix-lm --data data.json -o no
[ ! -e no ] || echo left
