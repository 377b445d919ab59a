lm-tokenize train -q -n 300 --special-token '<|endoftext|>' --special-token '<mask_1>' --special-token '<mask_2>' \
  --special-token '<mask_3>' --special-token '<sep>' --special-token '<eom>' - -o tok/ <<"END"
{"text":"def f(x): return x the the def return"}
END
printf '%s\n' '{"id":"a","text":"def f(x):\n    return x\n\ndef g(y):\n    return f(y) + <sep>\n"}' '{"id":"b","text":"short"}' > code.jsonl
lm-transform infill --infill-rate 1 --span-len 6:9 -m tok -z none code.jsonl -q > rows.jsonl
jq -c '[.id, .infill.kind, .prefix_len, (.loss_mask | add) == (.input_ids | length), (.input_ids | length) > 5]' rows.jsonl
lm-tokenize decode -m tok --field said -z none rows.jsonl | jq -r .said
lm-transform infill --inverse -m tok -z none rows.jsonl | cmp - code.jsonl
echo '[without the text]'
lm-transform infill --infill-rate 1 --drop-text -m tok -q code.jsonl | lm-transform infill --inverse -m tok -z none | jq -c .text
echo '[variant b: no loss up to the separator]'
lm-transform infill --infill-rate 1 --variant b -m tok -z none -q code.jsonl | head -n 1 |
  jq -c '[.prefix_len as $p | (.loss_mask[:$p] | add), (.loss_mask[$p:] | add) == (.input_ids[$p:] | length), .input_ids[$p - 1], .input_ids[$p]]'
echo '[rate 0: what lm-tokenize makes]'
cmp <(lm-transform infill --infill-rate 0 -m tok -z none code.jsonl | jq -c .input_ids) \
  <(lm-tokenize -m tok --eos --special text -z none code.jsonl | jq -c .input_ids)
echo '[prefix rows]'
lm-transform infill --infill-rate 0 --prefix-rate 1 -m tok -z none code.jsonl | jq -c '[.infill.kind, .prefix_len, (.loss_mask | map(1 - .) | add)]'
echo '[texts]'
printf '%s\n' '{"id":"c","text":"one two three  four\nfive six"}' > text.jsonl
lm-transform infill --infill-rate 1 --min-tokens 2 -z none text.jsonl
for format in codegen2 psm spm codellama qwen; do
  lm-transform infill --format $format --infill-rate 1 --min-tokens 2 text.jsonl |
    lm-transform infill --format $format --inverse -z none | cmp - text.jsonl
done
