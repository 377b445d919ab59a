# A text behind its prompt: the text alone is scored.
tiny="$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model
"$tiny" m; "$tiny" n 2
long=$(seq 60 | tr '\n' ' ')
printf '%s\n' '{"id":"a","prompt":"in the","text":" end"}' '{"id":"b","prompt":"in the ","text":"end"}' \
  '{"id":"n","prompt":"","text":"in the end"}' '{"id":"e","prompt":"in","text":""}' '{"id":"s","prompt":"in</s>","text":"the</s>"}' \
  '{"id":"u","prompt":"\u00e9\u4e16","text":"\u754c \ud83d\ude00"}' > in.jsonl
echo 'the numbers are those of lm-decode score for prompt and completion'
both() {
  lm-ppl-filter -m m --name n --condition prompt "$@" -z none in.jsonl | jq -c '[.id, (.attributes |
    if .lm_ppl__n__ppl == [] then 0, null, null, null else .lm_ppl__n__tokens[0][2], .lm_ppl__n__nll[0][2], .lm_ppl__n__ppl[0][2], .lm_ppl__n__bpb[0][2] end)]' > got
  jq -c '{id, prompt, completion: .text}' in.jsonl | lm-decode score -m m "$@" -z none | jq -c '[.id, (.score |
    if .tokens == 0 then 0, null, null, null else .tokens, -.sum, .ppl, .bits_per_byte end)]' > want
  cmp got want && echo "same $*"
}
both; both --no-bos; both --special text
echo 'at most so many tokens of the text'
lm-ppl-filter -m m --name n --condition prompt --max-tokens 2 -z none in.jsonl | jq -c '[.id, .attributes.lm_ppl__n__tokens[0][2], .attributes.lm_ppl__n__bpb[0][2]]'
lm-ppl-filter -m m --condition prompt -z none in.jsonl | jq -c '.attributes | keys' | sort -u
echo 'prompt and text are cut into the windows of one text'
printf '%s\n' "{\"id\":\"p\",\"prompt\":\"${long% }\",\"text\":\" the end\"}" "{\"id\":\"t\",\"prompt\":\"in\",\"text\":\"$long\"}" > long.jsonl
lm-ppl-filter -m m --name n --condition prompt -z none long.jsonl > cut.jsonl
jq -c '[.id, .attributes.lm_ppl__n__tokens[0][2]]' cut.jsonl
jq -c '{id, text: (.prompt + .text)}' long.jsonl | lm-ppl-filter -m m --name n -z none > whole.jsonl
jq -c '{id, text: .prompt}' long.jsonl | lm-ppl-filter -m m --name n -z none > prompt.jsonl
jq -n -c '[inputs | .attributes.lm_ppl__n__nll[0][2]] | . as [$cp, $ct, $wp, $wt, $pp, $pt] | [$cp - ($wp - $pp), $ct - ($wt - $pt)] | map(. * 1000 | round | fabs)' cut.jsonl whole.jsonl prompt.jsonl
echo 'the same for threads and batches, and for a contrast'
lm-ppl-filter -m m --name n --condition prompt -z none -t 2 --batch 1 --chunk 3 long.jsonl | cmp - cut.jsonl && echo same
lm-ppl-filter --contrast m,n --name c --condition prompt -z none in.jsonl | jq -c '[.id, .attributes.lm_ppl__c__contrast[0][2]]' > got
for m in m n; do lm-ppl-filter -m $m --name x --condition prompt -z none in.jsonl | jq -c '.attributes | if .lm_ppl__x__ppl == [] then null else -.lm_ppl__x__nll[0][2] / .lm_ppl__x__tokens[0][2] end' > of.$m; done
jq -c '.[1] // 0' got | paste - of.m of.n | awk '{d = $1 - ($2 - $3); print (d < 1e-12 && d > -1e-12) ? "same" : "different"}' | sort | uniq -c | tr -s ' '
lm-ppl-filter select -m m --condition prompt --keep-lowest 0.5 -z none in.jsonl | jq -r .id
echo 'refusals'
s() { lm-ppl-filter "$@" in.jsonl; echo "status $?"; }
lm-ngram train -k 2 --discount-fallback in.jsonl -o w.lmng
s -m w.lmng --condition prompt
s --contrast m,w.lmng --condition prompt
s --zlib --condition prompt
s -m m --condition prompt --probe 2
s -m m --condition prompt --window 8 --stride 8
s -m m --condition text
s -m m --condition id.x
s select --from-attr q --condition prompt --max 1
