# Scores take no other field's place.
echo '{"id":1,"samples":["a"]}' > in.jsonl
for field in id prompt refs correct temperature vocab greedy samples sim ensemble claims perturb p_true p_true_samples p_ik verbal emb model lm emb.greedy; do
  lm-uq --field $field in.jsonl; echo "status $?"
  [ $field = emb.greedy ] || continue
  lm-uq eval --field prompt in.jsonl; echo "status $?"
done
lm-uq -z none -e num_sets --field scores in.jsonl
