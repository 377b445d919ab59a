printf '%s\n' '{"id":1,"text":"mail a@b.c now","n":1.50,"attributes":{"pii__pii__email":[[5,10,1]],"q":[[0,14,0.5]]},"z":null}' \
  '{"id":2,"text":"nothing here","attributes":{"pii__pii__email":[]}}' \
  '{"id":3,"text":"\u00e9\u00e9 x","attributes":{"pii__pii__email":[[0,1,0.2],[1,4,0.9]]}}' > in.jsonl
s() { lm-mix "$@" --report r.json -z none in.jsonl; echo "status $?"; jq -c '.metrics | .cuts[], .emptied' r.json; }
s --cut 'pii.email:|||EMAIL|||'
s --cut 'pii.email>=0.5' --keep-attributes
s --cut pii.email
s --cut pii.email --min-left 9
s --cut pii.email --min-left 0 --discard z --discard n --provenance
s --cut 'pii.email:<{}>' --cut 'q:-' --discard attributes
# Several fields of one object, and nested ones.
echo '{"a":1,"m":{"x":1,"y":2,"w":3},"b":2}' | lm-mix --discard m.x --discard m.w --discard a -z none
echo '{"a":1}' | lm-mix --discard a -z none
echo '{"id":1,"metadata":{"x":1}}' | lm-mix --discard metadata.x --sample 2 --provenance -z none
echo '{"id":1,"body":"abc","text":"xyz","attributes":{"x":[[0,2,1]]}}' | lm-mix --field body --cut x -z none
