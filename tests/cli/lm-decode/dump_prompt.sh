# Prompts are shown without the weights, and without a model's configuration.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
echo '{"id":"a","prompt":"in the"}' > in.jsonl
lm-decode -m m -z none --dump-prompt in.jsonl > all
rm m/model.safetensors m/manifest.json
lm-decode -m m -z none --dump-prompt in.jsonl | cmp - all && echo same
lm-decode -m m -z none --max-tokens 1 in.jsonl; echo "status $?"
mv m/config.json config.json
lm-decode -m m -z none --dump-prompt in.jsonl | cmp - all && echo same
echo '{"model_type":"no such"}' > m/config.json
lm-decode -m m -z none --dump-prompt in.jsonl; echo "status $?"
cp config.json m/config.json
sed -i 's/"vocab_size": *262/"vocab_size": 100/' m/config.json
lm-decode -m m -z none --dump-prompt in.jsonl; echo "status $?"
lm-decode -m gone -z none --dump-prompt in.jsonl; echo "status $?"
lm-decode -z none --dump-prompt in.jsonl; echo "status $?"
