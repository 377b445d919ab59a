"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model m
for i in $(seq 1 20); do
  printf '{"id":%d,"lang":"eng","text":"the thing in the end %d","score":%d,"answer":"%d","answer_lang":["eng","eng"],"scores":[3,2,1]}\n' $i $i $((i % 2)) $((i % 3))
  printf '{"id":%d,"lang":"deu","text":"das Ding am Ende %d","score":%d,"answer":"%d","answer_lang":["deu","eng"],"scores":[3,1,2]}\n' $i $i $((i % 4 == 1)) $((i % 6))
done > p.jsonl
printf '{"id":1,"lang":"zho","text":"\xe7\xac\xac\xe4\xb8\x80"}\n' >> p.jsonl
lm-eval languages --pivot eng p.jsonl | jq -c '.score.languages[] | [.language, .n, .value, .gap]'
lm-eval languages p.jsonl | jq -c '[.score.mean, .score.gini, .score.worst_language, .fidelity.mean, .consistency.mean, (.rank_consistency.mean * 1000 | round)]'
lm-eval languages --lower-is-better p.jsonl | jq -c .score.worst_language
lm-eval parity --tokenizer m p.jsonl | jq -c '.tokenizers[0] | [.vocab, (.parity.languages[] | [.language, .n, (.value * 1000 | round)]), (.fertility.languages[] | [.language, .unit])]'
# a pivot against itself is exactly 1
lm-eval parity --tokenizer m --pivot deu p.jsonl | jq -c '.tokenizers[0].parity.languages[0] | [.value, .value_interval]'
lm-eval bpb -m m --pivot eng p.jsonl -o bpb.json; jq -c '.languages[] | [.language, .n, .bytes, .characters, .tokens, (.value - .nats / .bytes / (2 | log) | fabs < 1e-12), (.normalised_ppl_byte - (.nats / .bytes | exp) | fabs < 1e-12)]' bpb.json
jq -c '.languages[1] | [.gap, .gap_interval]' bpb.json
# the nats are those of lm-decode score
lm-decode score -q -m m --group lang --report r.json p.jsonl -o scored.jsonl
jq -c '.metrics.groups.lang | map_values(.nats * 1e3 | round)' r.json; jq -c '.languages | map({(.language): (.nats * 1e3 | round)}) | add' bpb.json
for t in 1 2 7; do lm-eval bpb -m m -t $t --batch $t --pivot eng p.jsonl | cmp - bpb.json; done
echo '{"eng":3,"deu":1}' > w.json; lm-eval languages --weights w.json p.jsonl | jq -c .score.weighted_mean
echo '[]' > bad.json; lm-eval languages --weights bad.json p.jsonl; echo "status $?"
