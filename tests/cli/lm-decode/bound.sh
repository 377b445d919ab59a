# score --bound: what models of masked diffusion say of texts.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m 1 262 128
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model whole 2 263 128 && rm -f whole/manifest.json
jq -c '.lm_diffusion = {mask_token_id: 262} | .architectures = ["DiffusionLlamaForCausalLM"]' whole/config.json > c.json && mv c.json whole/config.json
cp -r whole blocks && jq -c '.lm_diffusion.block = 8' whole/config.json > blocks/config.json
cp -r whole single && jq -c '.lm_diffusion.block = 1' whole/config.json > single/config.json
printf '%s\n' '{"id":"a","text":"in the end"}' '{"id":"b","prompt":"the","completion":" king of the"}' \
  '{"id":"c","prompt":"the","choices":[" end"," king"]}' '{"id":"d","text":""}' > in.jsonl
score() { lm-decode score -q -z none "$@" in.jsonl; }
for folder in whole blocks; do
  for bound in nelbo:16 tstep:6:4 chain; do
    score -m $folder --bound $bound > one
    score -m $folder --bound $bound --batch 1 --chunk 5 --threads 1 | cmp - one && echo "$folder $bound: same bytes"
    jq -s -c '[.[] | (.score, .scores[]?) | values | .sum <= 0] | all' one
  done
done
# The result
score -m whole --bound nelbo:16 | jq -c '[.id, (.score // .scores[0] | keys - ["mean","ppl","bits_per_byte"]), (.score // .scores[0] | [.tokens, .bytes, .draws])], .best'
score -m whole --bound nelbo | jq -s -c '[.[0].score | .draws == 128, .error > 0, (.interval[0] < .sum and .sum < .interval[1])]'
score -m whole --bound chain | jq -c 'select(.id == "a") | .score | keys'
# Blocks of one token are filled from left to right.
score -m single --bound chain | jq -c '(.score // .scores[]) | .sum' > chain
score -m single --bound nelbo:3 | jq -c '(.score // .scores[]) | .sum' | paste - chain | awk '($1 - $2) ^ 2 > 1e-12 {print "off", $0}'
# Where nothing begins a text its first token is hidden too.
cp -r whole bare && jq -c 'del(.bos_token_id)' whole/config.json > bare/config.json
for folder in whole bare; do score -m $folder --bound chain | jq -c 'select(.id == "a") | .score | [.tokens, .bytes]'; done
# An estimate and a longer one
jq -n --argjson a "$(score -m whole --bound nelbo:32 | jq -c 'select(.id == "a") | .score')" --argjson b "$(score -m whole --bound nelbo:2000 | jq -c 'select(.id == "a") | .score')" \
  '($a.sum - $b.sum | fabs) < 4 * ($a.error + $b.error) and $b.error < $a.error'
# Runs resume, reports sum.
score -m whole --bound nelbo:4 > full.jsonl; head -2 full.jsonl > half.jsonl
lm-decode score -q -m whole --bound nelbo:4 --resume half.jsonl --report r.json in.jsonl -o rest.jsonl && cmp full.jsonl rest.jsonl && jq -c '.metrics.total | .records, .tokens' r.json
score -m whole --bound nelbo:4 --memory 64M | cmp - full.jsonl
# Refused
try() { score "$@"; echo "exit $?"; }
try -m m --bound nelbo
try -m whole
try -m whole --bound elbo
try -m whole --bound tstep
try -m whole --bound nelbo --per-token
score -m blocks --bound tstep:1 | jq -c .error
