# Rows train as they are: with their loss mask, from a stream, and packed with documents apart.
lm-tokenize train -q -n 300 --special-token '<|endoftext|>' --special-token '<mask_1>' --special-token '<mask_2>' \
  --special-token '<sep>' --special-token '<eom>' - -o tok/ <<"END"
{"text":"def f(x): return x the the def return"}
END
seq 64 | awk '{ printf "{\"id\":%d,\"text\":\"def f%d(x):\\n    return x + %d\\n\"}\n", $1, $1 % 8, $1 % 8 }' > code.jsonl
o='-q --arch llama --layers 1 --width 32 --heads 2 --seq-len 64 --batch 8 --steps 40 --lr 1e-2 --schedule constant --log-every 1 --tokenizer tok'
falls() { jq -s -c '[.[] | select(.loss) | .loss] | .[-1] < .[0] / 2' $1/metrics.jsonl; }
for variant in a b; do
  lm-transform infill --infill-rate 1 --min-tokens 8 --variant $variant --drop-text -m tok -q code.jsonl -o $variant.jsonl
  lm-train $o --objective sft --vocab 300 $variant.jsonl -o run-$variant && echo "variant $variant: $(falls run-$variant)"
done
for i in 1 2 3 4 5 6 7 8 9 10; do lm-transform infill --epoch $i --min-tokens 8 -m tok -q -z none code.jsonl; done |
  lm-train $o --vocab 300 -o run-stream && echo "stream: $(falls run-stream)"
lm-tokenize pack -q --from-ids --no-eos -m tok a.jsonl -o rows
lm-train $o --doc-mask --data rows.json -o run-packed && echo "packed: $(falls run-packed)"
# Every row is a document of the shards.
jq -c '.documents' rows.json
