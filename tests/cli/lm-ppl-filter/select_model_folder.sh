"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model other 2
seq 60 | awk '{ s = ""; for (i = 0; i < $1 % 9; ++i) s = s " word" ($1 * i) % 7; printf "{\"id\":%d,\"text\":\"%s\"}\n", $1, s }' > in.jsonl
lm-ppl-filter -m m -z none in.jsonl > scored.jsonl
# every verb selects by what score writes
lm-ppl-filter select -q -m m --keep-lowest 0.3 -z none in.jsonl | jq .id > got
n=$(wc -l < in.jsonl)
jq -r 'select(.attributes.lm_ppl__m__ppl != []) | [.attributes.lm_ppl__m__ppl[0][2], .id] | @tsv' scored.jsonl |
  sort -s -k1,1g | head -n $((n * 3 / 10)) | cut -f 2 | sort -n | cmp - got && wc -l < got
lm-ppl-filter select -q -m m --max 300 -z none in.jsonl | jq .id > got
jq 'select(.attributes.lm_ppl__m__ppl != [] and .attributes.lm_ppl__m__ppl[0][2] <= 300) | .id' scored.jsonl | cmp - got
lm-ppl-filter bucket -q -m m -z none in.jsonl | jq -c 'del(.text)' > got
lm-ppl-filter bucket -q --from-attr lm_ppl__m__ppl -z none scored.jsonl | jq -c 'del(.text, .attributes)' | cmp - got
lm-ppl-filter cutoffs -q -m m in.jsonl > got
lm-ppl-filter cutoffs -q --from-attr lm_ppl__m__ppl scored.jsonl | cmp - got
# contrast: any two models; options go to those they are for
lm-ngram train -k 3 --discount-fallback in.jsonl -o words.lmng
lm-ngram train -k 3 --discount-fallback --tokenizer m in.jsonl -o pieces.lmng
lm-ppl-filter -m words.lmng -z none in.jsonl > words.jsonl
near='def near(a; b): (a - b | fabs) < 1e-12 * (a | fabs);'
for pair in m,other m,words.lmng words.lmng,m; do
  lm-ppl-filter --contrast $pair --name c -z none in.jsonl > c.jsonl
  lm-ppl-filter -m ${pair%,*} --name g -z none c.jsonl | lm-ppl-filter -m ${pair#*,} --name b -z none |
    jq -c "$near"'.attributes | select(.lm_ppl__c__contrast != []) | near(.lm_ppl__c__contrast[0][2];
      .lm_ppl__b__nll[0][2] / .lm_ppl__b__tokens[0][2] - .lm_ppl__g__nll[0][2] / .lm_ppl__g__tokens[0][2])' | sort | uniq -c
done
lm-ppl-filter select -q --contrast m,pieces.lmng --tokenizer m --window 20 --keep-highest 0.5 -z none in.jsonl | wc -l
