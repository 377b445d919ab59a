# Holes filled by a model that learned it from rows of lm-transform: one hole, several, other layouts.
awk 'BEGIN { split("red blue green grey", c, " "); split("fox cat owl", a, " "); srand(3); for (i = 0; i < 400; ++i) printf "{\"text\":\"the %s %s sat on the %s %s mat.\"}\n", c[1 + i % 4], a[1 + i % 3], c[1 + i % 4], a[1 + i % 3] }' > docs.jsonl
lm-tokenize train -q -n 300 --special-token '<|endoftext|>' --special-token '<mask_1>' --special-token '<mask_2>' --special-token '<sep>' --special-token '<eom>' \
  --special-token '<fim_prefix>' --special-token '<fim_suffix>' --special-token '<fim_middle>' docs.jsonl -o tok/ 2>/dev/null
lm-transform infill -q --infill-rate 1 --min-tokens 4 --variant b -m tok docs.jsonl -o rows.jsonl
lm-train -q --objective sft --arch llama --layers 2 --width 64 --heads 4 --seq-len 96 --batch 8 --steps 400 --lr 5e-3 --tokenizer tok/ --no-eos rows.jsonl -o run
m='infill -q -m run/final --greedy --max-tokens 24 -z none'
cat > holes.jsonl <<'END'
{"id":"a","prefix":"the red fox sat on the","suffix":" fox mat."}
{"id":"b","prompt":"the grey<|fill|> sat on the grey owl mat.","keep":1}
{"id":"c","prompt":"the<|fill|> cat sat on the blue<|fill|> mat."}
END
lm-decode $m holes.jsonl > out.jsonl
jq -c 'select(.id != "c") | [.id, .completions[0].text, .completions[0].middles, .completions[0].finish_reason, .keep]' out.jsonl
# What comes into the second of two holes is a matter of more training than this; where it comes is not.
jq -c 'select(.id == "c") | .completions[0] | [(.middles | length), .text == "the" + .middles[0] + " cat sat on the blue" + .middles[1] + " mat."]' out.jsonl
lm-decode $m --batch 1 -t 1 holes.jsonl | cmp - out.jsonl
head -n 2 out.jsonl > part.jsonl && lm-decode $m --resume part.jsonl holes.jsonl | cmp - out.jsonl
lm-decode $m -n 3 --temperature 1 --no-greedy holes.jsonl 2> /dev/null | jq -c '.completions | length' | sort -u
# Whatever is drawn, what was kept stays and no special token comes in.
lm-decode infill -q -m run/final --temperature 3 -n 20 --max-tokens 30 -z none holes.jsonl | jq -r '.completions[].text | test("<(mask_|eom|sep)") | not' | sort | uniq -c
lm-decode infill -q -m run/final --temperature 3 -n 20 --max-tokens 30 -z none holes.jsonl | jq -r 'select(.id == "a") | .completions[].text | (startswith("the red fox sat on the") and endswith(" fox mat."))' | sort | uniq -c
lm-decode $m --trim-suffix --truncate-before ' ?mat' holes.jsonl | jq -c 'select(.id != "c") | .completions[0].middles'
for format in psm spm; do lm-decode $m --format $format holes.jsonl 2>&1 | jq -c '[.id, .error.code // (.completions[0].middles | length)]'; done
# A stop string cuts what goes into the hole.
lm-decode $m --stop ed holes.jsonl | jq -c 'select(.id == "a") | .completions[0] | [.middles, .text, .finish_reason]'
lm-decode $m --stop ed --include-stop holes.jsonl | jq -c 'select(.id == "a") | .completions[0].middles'
lm-decode $m --resume part.jsonl --report report.json holes.jsonl | cmp - out.jsonl
jq -c '.metrics.throughput | [.records, .reused_records, .generated_tokens > 0]' report.json
