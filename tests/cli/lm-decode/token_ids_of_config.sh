# An end that no token can be, and a begin that is none, are refused.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
echo '{"prompt":"the"}' > in.jsonl
try() { cp -r m bad; jq -c "$1" m/config.json > bad/config.json; lm-decode -m bad --max-tokens 1 in.jsonl -o out; echo "status $?"; rm -r bad; }
try '.eos_token_id = 100000'
try '.eos_token_id = [1, 100000]'
try '.bos_token_id = 100000'
try '.model_type = "mamba"'
cp -r m bad; echo '{"eos_token_id": 100000}' > bad/generation_config.json
lm-decode -m bad --max-tokens 1 in.jsonl -o out; echo "status $?"
