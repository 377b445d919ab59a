# What --decoder diffusion refuses, and what is refused without it.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m 1 263 128
cp -r m whole && rm -f whole/manifest.json
jq -c '.lm_diffusion = {mask_token_id: 262} | .architectures = ["DiffusionLlamaForCausalLM"]' m/config.json > whole/config.json
cp -r whole blocks
jq -c '.lm_diffusion.block = 8' whole/config.json > blocks/config.json
echo '{"id":"a","prompt":"x"}' > in.jsonl
try() { lm-decode "$@" in.jsonl -o out.jsonl; echo "exit $?"; }
try -m whole
try -m m --decoder diffusion
try -m whole --steps 4
try -m whole --decoder diffusion --logprobs
try -m whole --decoder diffusion --draft ngram
try -m whole --decoder diffusion --regex a
try --decoder diffusion --engine script:x
try -m whole --decoder diffusion --repetition-penalty 2
try -m whole --decoder diffusion --sampler threshold --steps 3
try -m whole --decoder diffusion --sampler confidence --remask 0.1
try -m whole --decoder diffusion --threshold 0.1
try -m whole --decoder diffusion --length 3 --max-tokens 3
try -m whole --decoder diffusion --steps 70000
try -m blocks --decoder diffusion --block 7
# records
printf '%s\n' '{"id":"long","prompt":"x","params":{"max_tokens":200}}' '{"id":"penalty","prompt":"x","params":{"dry_multiplier":1}}' \
  '{"id":"regex","prompt":"x","regex":"a"}' '{"id":"sets","prompt":[{"set":["a","b"]}]}' '{"id":"mask","tokens":[262]}' \
  '{"id":"suffix","prompt":"x","suffix":3}' '{"id":"steps","prompt":"x","params":{"max_tokens":40}}' '{"id":"ok","prompt":"x"}' > bad.jsonl
lm-decode -q -z none -m whole --decoder diffusion --length 8 --block 4 --steps 3 bad.jsonl | jq -c '[.id, .error.code, .error.message]'
echo '{"id":"behind","prompt":"x","suffix":"y"}' | lm-decode -q -z none -m blocks --decoder diffusion --length 4 | jq -c .error
