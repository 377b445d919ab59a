# generate --decoder diffusion: the same bytes whatever the batch, chunk, threads and order; given
# text is clamped; blocks of a block diffusion model may be kept; runs resume.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m 1 263 128
diffusion() { # FOLDER BLOCK: m as a model of masked diffusion
  cp -r m "$1" && rm -f "$1"/manifest.json
  jq -c --argjson block "$2" '.lm_diffusion = {mask_token_id: 262, block: $block} | .architectures = ["DiffusionLlamaForCausalLM"]' m/config.json > "$1"/config.json
}
diffusion whole 0
diffusion blocks 8
printf '%s\n' '{"id":"a","prompt":"in the end"}' '{"id":"b","prompt":"","params":{"max_tokens":9,"n":2}}' \
  '{"id":"c","prompt":"the king of","suffix":" the end","kept":[1.50]}' '{"id":"d","tokens":[105,110],"params":{"temperature":0,"ignore_eos":true}}' > in.jsonl
jq -c 'del(.suffix)' in.jsonl > plain.jsonl
tac in.jsonl > back.jsonl
decode() { lm-decode -q -z none --decoder diffusion --tokens "$@"; }
for sampler in ancestral cached confidence random threshold; do
  how="--sampler $sampler --length 24"
  [ $sampler = threshold ] && how+=' --threshold 0.3' || how+=' --steps 10'
  decode -m whole $how in.jsonl -o one.jsonl
  decode -m whole $how --batch 1 --chunk 8 --threads 1 in.jsonl -o two.jsonl
  decode -m whole $how --batch 3 --threads 7 back.jsonl | tac > three.jsonl
  cmp one.jsonl two.jsonl && cmp one.jsonl three.jsonl && echo "$sampler: same bytes"
  jq -e -s 'map(.completions[]) | all((.tokens | all(. != 262)) and .passes > 0)' one.jsonl > mask || echo "mask drawn"
  decode -m blocks $how --guidance 1 plain.jsonl -o kept.jsonl
  decode -m blocks $how --guidance 1 --no-block-cache plain.jsonl -o again.jsonl
  cmp kept.jsonl again.jsonl && echo "$sampler: same blocks"
done
# cached leaves passes out
decode -m whole --steps 200 --length 8 in.jsonl | jq -s -c 'map(.completions[].passes <= 9) | all'
decode -m whole --steps 200 --length 8 --sampler ancestral in.jsonl | jq -s -c 'map(.completions[].passes > 9) | any'
cmp <(decode -m whole --steps 200 --length 8 in.jsonl | jq -c '[.id, .completions[].tokens]') \
  <(decode -m whole --steps 200 --length 8 --sampler ancestral in.jsonl | jq -c '[.id, .completions[].tokens]') && echo "cached is ancestral"
# what stands behind is seen, and is not part of the text
decode -m whole --length 9 --greedy in.jsonl | jq -c 'select(.id == "c") | .completions[0].tokens' > with
decode -m whole --length 9 --greedy plain.jsonl | jq -c 'select(.id == "c") | .completions[0].tokens' > without
cmp -s with without && echo "suffix not seen"; jq -c "length <= 9" with
# the result of a record
decode -m whole --sampler confidence --steps 4 --length 6 in.jsonl | jq -c 'select(.id == "c") | keys, .kept, .prompt_tokens, .diffusion, .params.max_tokens, (.completions[0] | keys)'
decode -m whole --length 4 -n 2 --flat in.jsonl | jq -c '[.id, .completion.index]' | head -3
# a stopped run goes on
decode -m whole --length 5 in.jsonl -o full.jsonl
head -2 full.jsonl > half.jsonl
decode -m whole --length 5 --resume half.jsonl in.jsonl -o rest.jsonl --report r.json
cmp full.jsonl rest.jsonl && jq -c '[.metrics.throughput.reused_records, .metrics.diffusion.samples]' r.json
decode -m whole --length 5 --memory 64M in.jsonl | cmp - full.jsonl
