# Perplexity per character and per byte: of a uniform model of bytes 256 a byte whatever its tokens; what is
# divided by is the text.
printf '%s\n' '{"text":"abababa"}' '{"text":"bbaab"}' '{"text":"\u00e9ab\u00e9"}' > in.jsonl
for size in 256 259; do
  lm-tokenize train -q -n $size in.jsonl -o $size.json
  lm-tokenize -q -m $size.json -z none in.jsonl | jq -c '.input_ids | length' | xargs
  # A word of n bytes has 256^-n, an end of text probability one: log10 256 = 2.4082399653.
  lm-ngram train -k 1 --discount-fallback --tokenizer $size.json in.jsonl -o counted.arpa
  awk 'BEGIN { FS = OFS = "\t" } NF > 1 && $2 == "</s>" { $1 = 0 }
    NF > 1 && $2 !~ /^<\/?s>$|^<unk>$/ { bytes = $2; gsub(/<0x..>/, ".", bytes); $1 = sprintf("%.10f", -2.4082399653 * length(bytes)) } 1' counted.arpa > $size.arpa
  for norm in tokens chars bytes; do
    lm-ppl-filter score -m $size.arpa --name m --norm $norm --tokenizer $size.json --report r.json -z none in.jsonl > out
    jq -c '[.attributes | to_entries[] | select(.key | contains("ppl_") or endswith("ppl")) | .key[10:], (.value[0][2] * 10 | round / 10)]' out | xargs
  done
  jq -c '.metrics | [.documents, .tokens, .chars, .bytes, (.ppl_char, .ppl_byte, .bits_per_byte | . * 1e4 | round / 1e4)]' r.json
done
jq -sc '[(map(.text | length) | add), (map(.text | utf8bytelength) | add)]' in.jsonl
# Of a model folder, in windows: every token but the first of a text without a begin token.
printf '%s\n' '{"text":"the caf\u00e9 and the na\u00efve sea, said \u4e2d\u6587"}' '{"text":""}' '{"text":"x"}' > texts.jsonl
lm-tokenize train -q -n 270 --special-token '<a>' texts.jsonl -o tok.json
lm-train -q --arch llama --layers 1 --width 16 --heads 2 --seq-len 16 --tokenizer tok.json --steps 1 --batch 1 --ids-field input_ids \
  -o run <(lm-tokenize -q -m tok.json -z none texts.jsonl texts.jsonl)
for how in '' '--window 8' '--window 8 --stride 3' '--window 8 --stride 8'; do
  lm-ppl-filter score -m run/final --name m --norm chars $how --report r.json -z none texts.jsonl > out
  jq -c '.metrics as $m | [.metrics.chars, .metrics.bytes, ($m.ppl_char - (($m.nats / $m.chars) | exp) | . * 1e9 | round)]' r.json
done
lm-decode score -m run/final -z none texts.jsonl --report s.json > scores; lm-ppl-filter score -m run/final --report r.json texts.jsonl > out
jq -sc '.[0].metrics.total as $d | .[1].metrics | [.tokens == $d.tokens, .bytes == $d.bytes, (.nats - $d.nats | fabs) < 1e-6]' s.json r.json
lm-ppl-filter select -m run/final --norm bytes --keep-lowest 0.5 --annotate -z none texts.jsonl | jq -c '.attributes | keys | map(select(contains("ppl_byte")))'
try() { lm-ppl-filter "$@" texts.jsonl -z none; echo "status $?"; }
try score --zlib --norm chars
try score -m run/final --norm words
try select --from-attr q --norm chars --min 1
