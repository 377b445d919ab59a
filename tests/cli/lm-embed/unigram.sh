# A tokenizer.json with a unigram model, as encoders of the XLM-R kind have it.
"$(dirname "$(command -v lm-embed)")"/helpers/make-tiny-encoder e
jq -n '{version: "1.0", added_tokens: [{id: 1, content: "<s>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true}],
  normalizer: {type: "Precompiled", precompiled_charsmap: ""},
  pre_tokenizer: {type: "Sequence", pretokenizers: [{type: "WhitespaceSplit"}, {type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true}]},
  decoder: {type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true},
  model: {type: "Unigram", unk_id: 0, vocab: [["<unk>", 0], ["<s>", 0], ["▁", -2], ["a", -1], ["b", -2], ["ab", -2.5], ["▁a", -1.5]]}}' > uni.json
printf '{"text":"%s"}\n' 'ab b' 'a  b' 'a b' '?' '' > in.jsonl
lm-embed -m e --tokenizer uni.json --on-error skip -z none in.jsonl | jq -c '[.text, (.embedding | length)]'
lm-embed -m e --tokenizer uni.json --on-error skip -q -z none in.jsonl | jq -c .embedding | sed -n 2,3p | uniq | wc -l
jq '.model.vocab[3] = ["a"]' uni.json > bad.json
lm-embed -m e --tokenizer bad.json in.jsonl; echo "status $?"
