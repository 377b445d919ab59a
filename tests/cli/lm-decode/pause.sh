# Tokens behind the prompt: those of the prompt's own text, and sets go on behind them.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
printf '%s\n' '{"prompt":"in the "}' > in.jsonl
p='--pause-tokens 3 --pause-token the --max-tokens 6 --seed 2 -z none'
lm-decode -q -m m $p in.jsonl | jq -c '[.prompt_tokens, .completions[0].text]' > paused
lm-decode -q -m m --dump-prompt $p in.jsonl | jq -c '{tokens}' > spelt.jsonl
lm-decode -q -m m --max-tokens 6 --seed 2 -z none spelt.jsonl | jq -c '[.prompt_tokens, .completions[0].text]' | cmp - paused
lm-decode -q -m m --dump-prompt $p in.jsonl | jq -c '.tokens[-4:] // .'
printf '%s\n' '{"id":1,"prompt":["in ",{"set":["a b","c"]}]}' '{"id":1,"prompt":["in ",{"set":["c","a b"]}]}' | lm-decode -q -m m $p | jq -c .completions[0].text | uniq | wc -l
lm-decode -m m --pause-tokens 1 -z none in.jsonl; echo "status $?"
lm-decode -m m --pause-token x -z none in.jsonl; echo "status $?"
lm-decode -q -m m --pause-tokens 100 --pause-token the -z none in.jsonl | jq -c .error.message
