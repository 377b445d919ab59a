# Units as the record has them, as bytes of the text; and where a model was surprised.
printf '%s\n' '{"id":1,"text":"Mr. Smith met caf\u00e9 owners. Then he left.","chunks":[[0,9],[14,26]]}' \
  '{"id":2,"text":"no chunks"}' '{"id":3,"text":"a b","chunks":[[0,9]]}' '{"id":4,"text":"a b","chunks":"x"}' > chunks.jsonl
lm-transform --permute chunk-reverse --chunks-field chunks --on-error skip --no-meta -z none chunks.jsonl
printf '%s\n' '{"id":1,"text":"one two of three","s":[[0,3,0],[4,7,1],[8,10,7],[11,16,0],[16,16,9]]}' \
  '{"id":2,"text":"a","s":[[0,3,0]]}' '{"id":3,"text":"a","s":{"token_ids":[1],"logprobs":[-1]}}' > s.jsonl
lm-transform --permute chunk-reverse --chunk-lm s --on-error skip --no-meta -z none s.jsonl
# The surprisals of an n-gram model, as it leaves them.
{ for i in 1 2 3 4 5 6; do echo '{"text":"the cat sat on the mat"}'; done; echo '{"text":"the cat saw a zebra on the mat"}'; } > train.jsonl
lm-ngram train -k 3 --discount-fallback train.jsonl -o m.lmng -q
lm-ngram score -m m.lmng --per-token train.jsonl |
  lm-transform --permute chunk-reverse --chunk-lm attributes.lm_ppl__m__token_nll --no-meta -z none | tail -n 1 | jq -c .text
# Units are cut behind so many words.
echo '{"text":"one two three four five six seven"}' | lm-transform --permute chunk-reverse --max-unit 3 --no-meta -z none
# Those of a decoder, which its tokenizer lays on the text.
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' train.jsonl -o tok/
lm-tokenize pack -q -m tok train.jsonl -o train
lm-train -q --arch llama --layers 1 --width 16 --heads 2 --seq-len 16 --batch 2 --steps 1 --data train.json --tokenizer tok -o run
lm-decode score -m run/final --per-token train.jsonl | lm-transform -m tok --permute chunk-reverse --chunk-lm score -z none |
  lm-transform --inverse -z none | jq -c .text | sort | uniq -c
