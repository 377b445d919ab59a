helpers=$(dirname "$(command -v lm-embed)")/helpers
"$helpers/make-tiny-encoder" e; "$helpers/make-tiny-model" m
printf '%s\n' '{"id":"a","text":"in the","n":1.50}' '{"text":"the unable king","x":null}' '{"id":7,"text":""}' > in.jsonl
# fields survive, the vector comes last; the folder's own mean and scaling
lm-embed -m e -z none in.jsonl -o one.jsonl
jq -c '[keys_unsorted, (.embedding | length), (.embedding | map(. * .) | add * 1e6 | round), .model[:5], .lm.layers, .lm.pool]' one.jsonl
lm-embed -m e -z none --no-normalize in.jsonl | jq -c '.embedding | map(. * .) | add > 1.01'
# base64 is the same numbers
lm-embed -m e -z none --encoding base64 --drop-extra in.jsonl -o base64.jsonl
jq -c 'keys_unsorted' base64.jsonl
jq -r '.embedding' base64.jsonl | while read -r line; do echo "$line" | base64 -d | od -An -v -tf4 -w64; done | head -n 1 | awk '{print NF, $1}' > got
jq -c '.embedding | length, .[0]' one.jsonl | head -n 2 | awk 'NR == 1 {n = $1} NR == 2 {printf "%d %.7g\n", n, $1}' > want
awk 'NR == FNR {n = $1; x = $2; next} {print ($1 == n && ($2 - x) ^ 2 < 1e-14) ? "same" : "different"}' got want
lm-embed -m e -z none --encoding base64 --store f16 in.jsonl | jq -r '.embedding' | head -n 1 | base64 -d | wc -c
# several layers, another field, a decoder's poolings
lm-embed -m m --layer all --pool mean --output-field v.x -z none in.jsonl | jq -c '[.v.x | length, (.[] | length)], .lm.layers'
for pool in last mean weighted bos; do lm-embed -m m --pool $pool -z none in.jsonl -o $pool.jsonl; jq -c '.embedding[0]' $pool.jsonl | head -n 1; done | sort -u | wc -l
# the same bytes for other threads, batches and chunks; stdin; a resumed run
for how in '-t 1 --batch 1' '-t 2 --chunk 3' '-t 7 --batch 2 --chunk 512'; do lm-embed -m e $how -z none in.jsonl | cmp - one.jsonl && echo same; done
lm-embed -m e -z none < in.jsonl | cmp - one.jsonl && echo same
head -n 2 one.jsonl > some.jsonl; lm-embed -m e --resume some.jsonl -z none in.jsonl | cmp - one.jsonl && echo same
# a prefix is part of the text
printf '%s\n' '{"text":"query: in the"}' | lm-embed -m e -z none - | jq -c .embedding > want
lm-embed -m e --prefix 'query: ' -z none in.jsonl | head -n 1 | jq -c .embedding | cmp - want && echo same
