helpers=$(dirname "$(command -v lm-embed)")/helpers
"$helpers/make-tiny-encoder" e
printf '%s\n' '{"id":"a","text":"in the"}' '{"text":"the unable king"}' '{"id":7,"text":"x"}' > in.jsonl
header() { n=$(head -c 8 "$1" | od -An -tu8 | tr -d ' '); head -c $((8 + n)) "$1" | tail -c +9; }
lm-embed -m e in.jsonl -o v.safetensors
header v.safetensors | jq -c '[.embeddings.dtype, .embeddings.shape, .__metadata__.ids, .__metadata__.model[:5], (.__metadata__.lm | fromjson | .pool)]'
lm-embed -m e --layer 0,3 --store f16 in.jsonl -o v.st; header v.st | jq -c '[.embeddings.dtype, .embeddings.shape, .embeddings.data_offsets]'
# the numbers are those of the records
lm-embed -m e --encoding base64 -z none in.jsonl | jq -r .embedding | while read -r line; do echo "$line" | base64 -d; done > want
tail -c 192 v.safetensors | cmp - want && echo same
for threads in 1 7; do lm-embed -m e -t $threads --batch $threads in.jsonl -o w.st; cmp v.safetensors w.st && echo same; done
: > empty.jsonl; lm-embed -m e empty.jsonl -o n.st; header n.st | jq -c '[.embeddings.shape, .__metadata__.ids]'
# a whitening fitted here and applied
awk 'BEGIN {srand(3); for (i = 0; i < 60; ++i) {s = ""; for (j = 0; j < 6; ++j) s = s sprintf("%c", 97 + int(rand() * 26)) " "; print "{\"text\":\"" s "\"}"}}' > many.jsonl
lm-embed -m e --no-normalize --whiten-fit w many.jsonl -o plain.jsonl
lm-embed -m e --no-normalize --whiten w --whiten-dim 3 many.jsonl -o white.jsonl
jq -s -c '[.[].embedding] | (map(.[0]) | [add / 60, (map(. * .) | add / 59)] | map(. * 1000 | round | fabs)), (map(.[0] * .[1]) | add * 1000 | round | fabs), (.[0] | length)' white.jsonl
lm-embed -m e --whiten w many.jsonl | lm-cat -z none - | jq -c '.embedding | map(. * .) | add * 1000 | round' | sort -u
# what is of records, or of files, is refused for the other
lm-embed -m e --encoding base64 in.jsonl -o x.st; echo "status $?"
lm-embed -m e --form safetensors in.jsonl; echo "status $?"
lm-embed -m e --whiten v.st in.jsonl; echo "status $?"
lm-embed -m e --whiten w --whiten-dim 17 in.jsonl; echo "status $?"
lm-embed -m e --layer all --whiten w in.jsonl; echo "status $?"
lm-embed -m hash:char3,dim=8 --whiten w in.jsonl; echo "status $?"
lm-embed -m e --whiten-fit f in.jsonl -o x.jsonl < /dev/null; head -n 1 in.jsonl | lm-embed -m e --whiten-fit f -o y.jsonl; echo "status $?"
ls
