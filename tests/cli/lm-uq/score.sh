printf '%s\n' '{"id":1,"n":1.50,"prompt":"b c d","greedy":{"text":"x","logp":[-1,-3],"entropy":[0.5,1.5]},"samples":[{"text":"x","logp":[-0.5]},{"text":"y","logp":[-1.5]}]}' \
  '{"samples":["a","the a"],"uq":{"old":1},"z":[ 1 ]}' > a.jsonl
echo 'scores are added at the end, or take the place of older ones; the rest stays as it was'
lm-uq -z none -e msp,mean_token_entropy,cluster_entropy,mc_entropy a.jsonl
lm-uq -z none --field my -e label_prob,msp a.jsonl
echo 'an infinite score is null and says so'
echo '{"greedy":{"text":"x","alternatives":[[[-1,"c"]]],"attn_self":[[0]]}}' | lm-uq -z none -e attention_score,ccp
echo 'prompts that are all alike are refused, and what may have folded back is flagged'
printf '%s\n' '{"id":1,"prompt":"a b","samples":["x"],"perturb":[{"prompt":"B a","samples":["y"]}]}' \
  '{"id":2,"prompt":"a b","samples":["x"],"perturb":[{"prompt":"c d","samples":["y"]}]}' > p.jsonl
lm-uq -z none -e inv_entropy,inv_trace p.jsonl | jq -c .uq
echo 'the list of estimators'
lm-uq --list | cut -f 1,2 | head -n 4
lm-uq --list -o list.tsv; wc -l < list.tsv
