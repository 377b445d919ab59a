score() { lm-uq -z none --on-error fail "$@"; echo "status $?"; }
echo '{"samples":[{"text":"a","emb":[1e160,1]},{"text":"b","emb":[1,2]}]}' > large.jsonl
score large.jsonl
score --sim embed --sim-map relu -e degmat large.jsonl
echo '{"samples":["a","b"],"sim":{"answers":[[0,0],[0,0]]}}' | score --sim given
echo '{"samples":["a","b"],"sim":{"answers":[[1,-1],[-1,1]]}}' | score --sim given
echo '{"prompt":"q","emb":{"prompt":[1e200,1e200]},"samples":["a"],"perturb":[{"kind":"gaap","prompt":"r","emb":[-1e200,-1e200],"samples":["a"]}]}' |
  score --prompt-sim embed -e inv_entropy
for field in '"boosted":[7]' '"attn_self":[[1.5]]' '"attn_self":[[-1]]' '"attn_prev":[[[1.5]]]' '"alternatives":[[[1,"e"]]]' \
  '"top":[[[1.5,-1]]]' '"top":[[[-1,-1]]]' '"sqrt_mass":[-1]' '"csl_weight":[-1]'; do
  echo "{\"greedy\":{\"text\":\"a\",\"logp\":[-1],$field}}" | score
done
for field in '"vocab":-1' '"vocab":0' '"prompt":3'; do
  echo "{\"samples\":[\"a\"],$field}" | score
done
