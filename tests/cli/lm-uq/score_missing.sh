# Estimators that were asked for and that no record had the ingredients of.
echo '{"id":1,"greedy":{"text":"a","logp":[-1]},"samples":["a"],"claims":[{"text":"a","token_span":[0,1]}]}' > in.jsonl
score() { lm-uq -z none "$@" in.jsonl; echo "status $?"; }
score -e msp,p_ik,relative_mahalanobis,claim_msp,claim_p_true
score --sim given -e msp,eigv
score --sim given | cut -c 1-40
score -q -e p_ik
: > empty.jsonl
lm-uq -z none -e p_ik empty.jsonl; echo "status $?"
