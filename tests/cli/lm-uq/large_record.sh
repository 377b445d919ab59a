{ printf '{"id":1,"samples":["a","b"],"text":"'; head -c $((64 * 1048576 - 40)) /dev/zero | tr '\0' x; printf '"}\n'; } > big.jsonl
lm-uq -e cluster_entropy big.jsonl | lm-cat --max-record 65M -z none - | jq -c .uq
echo 'and one of which a sample is that large'
{ printf '{"id":1,"samples":["a","'; head -c $((64 * 1048576 - 40)) /dev/zero | tr '\0' x; printf '"]}\n'; } > big.jsonl
lm-uq -e num_sets,lexsim big.jsonl | lm-cat --max-record 65M -z none - | jq -c .uq
