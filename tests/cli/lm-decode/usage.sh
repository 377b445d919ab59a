"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
echo '{"prompt":"a"}' > in.jsonl
for how in '--sampler-order top_q' '--logit-bias x' '--stop=' '--top-p 2' '-n 0' '--temperature -1' '--stop-id x' '--stop-id 262' '--logit-bias 300:1' '--resume s --flat' '--batch 0'; do
  lm-decode -m m $how in.jsonl -o out.jsonl; echo "status $?"
done
lm-decode score -m m --window 65 in.jsonl; echo "status $?"
lm-decode score -m m --window 10 --stride 11 in.jsonl; echo "status $?"
