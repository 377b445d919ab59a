# --edlm: several fillings, of which a left-to-right model chooses one.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m 1 262 128
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model whole 2 263 128 && rm -f whole/manifest.json
jq -c '.lm_diffusion = {mask_token_id: 262} | .architectures = ["DiffusionLlamaForCausalLM"]' whole/config.json > c.json && mv c.json whole/config.json
cp -r whole blocks && jq -c '.lm_diffusion.block = 8' whole/config.json > blocks/config.json
printf '%s\n' '{"id":"a","prompt":"in the end"}' '{"id":"b","prompt":"","params":{"n":2}}' '{"id":"c","prompt":"the","params":{"max_tokens":20}}' > in.jsonl
decode() { lm-decode -q -z none --decoder diffusion --tokens --length 12 --steps 4 --ignore-eos "$@" in.jsonl; }
tokens() { jq -c '[.id, (.completions[] | .tokens)]'; }
for folder in whole blocks; do
  decode -m $folder | tokens > none
  for kind in ar coar; do
    decode -m $folder --edlm $kind:m --edlm-k 1 | tokens | cmp - none && echo "$folder $kind: one is none"
    decode -m $folder --edlm $kind:m --edlm-k 8 --edlm-window 1:0 > all.jsonl
    tokens < all.jsonl > several && cmp -s several none && echo "no choice"
    decode -m $folder --edlm $kind:m --edlm-k 8 --edlm-window 1:0 --batch 1 --chunk 7 --threads 1 | tokens | cmp - several && echo "$folder $kind: same bytes"
    jq -s -c '[.[].completions[].effective_k] | all(. >= 1 and . <= 8)' all.jsonl
    # Of equal weights all count.
    decode -m $folder --edlm $kind:m --edlm-k 8 --edlm-tau 1e6 | jq -s -c '[.[].completions[].effective_k] | all(. > 7.99)'
  done
done
jq -c .diffusion all.jsonl | head -1
# what the judge finds likely comes more often
for k in 1 32; do decode -m whole --edlm coar:m --edlm-k $k --edlm-window 1:0 -n 30 --flat | jq -c 'select(.id == "c") | {prompt: "the", completion: .completion}' > k$k.jsonl; done
jq -n --argjson a "$(lm-decode score -q -z none -m m k1.jsonl | jq -s 'map(.score.sum) | add')" --argjson b "$(lm-decode score -q -z none -m m k32.jsonl | jq -s 'map(.score.sum) | add')" '$b > $a'
# one filling has all the weight
decode -m whole --edlm coar:m --edlm-tau 1e-6 --report r.json > some.jsonl
jq -c '.metrics.diffusion | .mean_effective_k < 1.2 and .resampled > 0' r.json
# what is refused
try() { decode -m whole "$@"; echo "exit $?"; }
try --edlm m
try --edlm nce:m
try --edlm ar:missing
try --edlm ar:whole
try --edlm ar:m --edlm-window 0.4:1
try --edlm ar:m --edlm-window 0.4
try --edlm-k 3
try --edlm ar:m --sampler confidence
cp -r m words && jq -c '.model.merges = [] | del(.model.vocab["Ġthe"]) | .model.vocab["Ġz"] = 259' m/tokenizer.json > words/tokenizer.json
try --edlm ar:words
lm-decode -q -z none --decoder diffusion -m whole --length 9 --edlm ar:m --memory 64M in.jsonl | jq -s length
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model short 1 262 16
lm-decode -q -z none --decoder diffusion -m whole --length 20 --edlm ar:short in.jsonl | jq -c .error.message
