# options that are text are UTF-8: what they say goes into records
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
echo '{"id":"a","prompt":"the"}' > in.jsonl
odd=$(printf 'a\xff')
for option in --stop --choice --regex --dry-breaker --prompt-field; do
  lm-decode -m m --max-tokens 3 $option "$odd" in.jsonl -o out.jsonl 2> err; echo "$option $? $(iconv -f latin1 -t utf8 err)"
done
# log-probabilities of what was drawn from, far from zero too
top() { lm-decode -m m --max-tokens 4 --logprobs --logprobs-from processed --top-logprobs 300 --tokens "$@" in.jsonl | zstd -dcf | jq -c '.completions[0] | [.tokens, .logprobs, .top_logprobs] | transpose | map(. as [$id, $p, $top] | $p <= 0 and ($top | map(select(.[0] == $id)) | .[0][1] == $p)) | all'; }
top; top --temperature 1e-8; top --temperature 1e-38; top --logit-bias 5:1e9 --logit-bias 6:1e9 --logit-bias 7:1e9
