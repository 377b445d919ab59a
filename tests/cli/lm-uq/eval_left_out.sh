# Questions that are left out are counted in what is printed, not on standard error alone.
printf '%s\n' '{"id":1,"correct":1,"uq":{"scores":{"msp":0.3}}}' '{"id":2,"correct":0,"uq":{"scores":{"msp":2}}}' \
  '{"id":3,"correct":1}' '{"id":4,"uq":{"scores":{"msp":0.8}}}' '{"id":5,"correct":1,"uq":{"scores":{"msp":"x"}}}' > in.jsonl
lm-uq eval --boot 0 --on-error skip --metrics rcc,aurc in.jsonl
lm-uq eval --boot 0 --on-error skip -q --format json --report r.json in.jsonl | jq -c '[.questions, .left_out]'
jq -c '[.errors, .metrics.evaluation.left_out]' r.json
# options of metrics that are not measured
for how in '--bins 3' '--folds 3' '--bins 3 --metrics ece'; do lm-uq eval -q --on-error skip --boot 0 $how in.jsonl > out; echo "status $?"; done
