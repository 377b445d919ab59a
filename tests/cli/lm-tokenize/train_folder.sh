awk 'BEGIN { split("the of and lower lowest newer newest widest river stone light wind seven hours often h\\u00e9llo \\ud83d\\ude00 12 345 its", w, " ")
  for (i = 0; i < 300; ++i) { printf "{\"id\":\"d%d\",\"text\":\"", i; k = 3 + i * 7 % 11
    for (j = 0; j < k; ++j) printf "%s%s", j ? " " : "", w[1 + (i * i + j * 5 + i * j) % 20]; print (i % 3 ? "" : "\\n") "\"}" } }' > docs.jsonl
lm-tokenize train -n 300 --special-token '<|endoftext|>' --special-token '<pad>' docs.jsonl -o vocabulary/
ls -A . vocabulary
cat vocabulary/special_tokens_map.json; jq -c '[.tokenizer_class, .eos_token, .bos_token, .pad_token, .clean_up_tokenization_spaces]' vocabulary/tokenizer_config.json
for t in 1 2 7; do lm-tokenize train -n 300 --special-token '<|endoftext|>' --special-token '<pad>' -t $t docs.jsonl | cmp - vocabulary/tokenizer.json; done
echo kept > vocabulary/notes
lm-tokenize train -n 280 docs.jsonl -o vocabulary; ls -A vocabulary; cat vocabulary/special_tokens_map.json
echo '{"text":' > bad.jsonl
lm-tokenize train bad.jsonl -o new/; echo "status $?"
lm-tokenize train bad.jsonl -o vocabulary; echo "status $?"
ls -A . vocabulary
lm-tokenize train --type sp-bpe -n 60 docs.jsonl -o sp/; ls -A sp
