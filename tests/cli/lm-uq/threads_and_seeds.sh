awk 'BEGIN { srand(3); for (i = 0; i < 400; ++i) { printf "{\"id\":\"q%d\",\"prompt\":\"what is number %d\",\"correct\":%d,\"samples\":[", i, i, rand() < .5; for (j = 0; j < 5; ++j) printf "%s\"w%d w%d\"", j ? "," : "", rand() * 4, rand() * 3; printf "],\"perturb\":["; for (k = 0; k < 3; ++k) { printf "%s{\"prompt\":\"number %d is w%d\",\"samples\":[", k ? "," : "", i, k; for (j = 0; j < 3; ++j) printf "%s\"w%d w%d\"", j ? "," : "", rand() * 4, rand() * 3; printf "]}" } print "]}" } }' > r.jsonl
for t in 1 2 7; do lm-uq -t $t --sim rougeL r.jsonl -o s$t.jsonl; cmp s1.jsonl s$t.jsonl; done
for t in 1 2 7; do lm-uq eval -t $t --boot 50 --differences --plot p$t.svg s1.jsonl > e$t; cmp e1 e$t; cmp p1.svg p$t.svg; done
echo 'a seed changes draws and resamples'
lm-uq --seed 1 -e inv_trace,cluster_entropy r.jsonl | lm-cat -z none - | jq -c .uq.scores > seed1
lm-uq --seed 2 -e inv_trace,cluster_entropy r.jsonl | lm-cat -z none - | jq -c .uq.scores > seed2
cmp -s seed1 seed2 || echo differ
cmp <(jq .cluster_entropy seed1) <(jq .cluster_entropy seed2)
lm-uq eval --boot 50 --seed 9 s1.jsonl | cmp -s e1 - || echo differ
echo 'order of the records does not matter to the values'
lm-uq eval --boot 0 s1.jsonl > there; tac s1.jsonl | lm-uq eval --boot 0 > back; cmp there back
head -c 60 p1.svg; echo
