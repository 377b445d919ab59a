# Scores of single statements stand in a list beside those of the answer.
printf '%s\n' '{"id":1,"greedy":{"text":"a b c","logp":[-1,-3,-2],"entropy":[0.5,1.5,1]},"samples":["a","b"],"claims":[{"text":"ab","token_span":[0,2],"p_true":0.75,"nli":["e","c"]},{"text":"c","token_span":[2,3]}]}' > a.jsonl
lm-uq -z none -e msp,claim_msp,claim_max_entropy,claim_p_true,claim_frequency a.jsonl | jq -c .uq
echo 'all of them, where nothing is chosen; none, where others are'
lm-uq -z none a.jsonl | jq -c '.uq.claims | map(keys | length)'
lm-uq -z none -e msp a.jsonl | jq -c .uq
echo 'one question a claim, for eval'
lm-uq -z none -e claim_msp a.jsonl | jq -c '.id as $id | .claims as $c | .uq.claims | to_entries[] | {id: "\($id)-\(.key)", correct: ($c[.key].p_true != null), uq: {scores: .value}}' |
  lm-uq eval --boot 0 --metrics auroc | tr -s ' ' | tail -n 1
echo 'spans lie in the answer'
jq -c '.claims[0].token_span = [1, 4]' a.jsonl | lm-uq -z none --on-error fail; echo "status $?"
