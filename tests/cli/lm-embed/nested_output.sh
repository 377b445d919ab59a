# A path makes objects, with and without the other fields.
printf '%s\n' '{"id":1,"text":"a b","v":{"x":0}}' > in.jsonl
lm-embed -m hash:char3,dim=8 --output-field v.emb.deep -z none in.jsonl | jq -c '[.v.x, (.v.emb.deep | length), (keys - ["lm"])]'
lm-embed -m hash:char3,dim=8 --output-field v.emb.deep --drop-extra -z none in.jsonl | jq -c '[.v.x, (.v.emb.deep | length), (keys - ["lm"])]'
