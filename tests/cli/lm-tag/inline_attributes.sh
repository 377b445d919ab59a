printf '%s\n' '{"id":"a","text":"One two three.\nfour"}' '{"id":2,"text":"A {","n":1.0}' > in.jsonl
lm-tag -T c4_v2 -q -z none in.jsonl
echo 'without empty lists'
lm-tag -T c4_v2 -q --no-declare -z none in.jsonl
echo 'an experiment of the given name'
lm-tag -T c4_v2 -q --experiment web --no-declare -z none in.jsonl | jq -c '.attributes | keys'
echo 'two taggers, in the order named'
lm-tag -T gopher_v1,c4_v1 -q -z none in.jsonl | jq -c '.attributes | keys_unsorted | map(split("__")[0]) | unique, length'
