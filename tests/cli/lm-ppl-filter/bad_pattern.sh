# A text on which the pattern of the model's tokenizer gives up is a bad record, wherever the records
# are scored; so with the pieces of an n-gram model.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
jq -c '.pre_tokenizer = {type:"Sequence",pretokenizers:[{type:"Split",pattern:{Regex:"(a|aa)+$"},behavior:"Isolated",invert:false},.pre_tokenizer]}' m/tokenizer.json > tok.json
cp tok.json m/tokenizer.json; rm -f m/manifest.json
hard=$(printf 'a%.0s' $(seq 80))b
printf '{"id":"%s","text":"%s","g":"x"}\n' first "in the end" hard "$hard" last "the end" > in.jsonl
lm-ppl-filter -m m --name n -z none in.jsonl; echo "status $?"
lm-ppl-filter -m m --name n -z none --on-error skip in.jsonl | jq -c '[.id, .attributes.lm_ppl__n__tokens[0][2]]'
{ echo '{"id":"early","text":7}'; cat in.jsonl; echo '{"id":"late"'; } | lm-ppl-filter select -m m --max 1e9 --on-error quarantine --rejects rejects.jsonl -z none | jq -c .id
jq -c '[.error.code, .error.line, (.raw | length)]' rejects.jsonl
for verb in score 'generate --max-tokens 1'; do
  jq -c '{id,prompt:.text,text}' in.jsonl | lm-decode $verb -m m -z none 2>/dev/null | jq -c '[.id, .error.code]'
done
lm-ngram train -k 2 --discount-fallback --tokenizer tok.json in.jsonl -o x.arpa; echo "status $?"
lm-ngram train -k 2 --discount-fallback --tokenizer tok.json --on-error skip in.jsonl -o x.arpa; echo "status $?"
lm-ngram score -m x.arpa --tokenizer tok.json --on-error skip -z none in.jsonl | jq -c .id
lm-ppl-filter -m x.arpa --tokenizer tok.json --on-error skip -z none in.jsonl | jq -c .id
