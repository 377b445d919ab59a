cat > u.jsonl <<"END"
{"id":1,  "words":["play","music","by","sabrina","salerno","tomorrow"],"labels":["O","O","O","B-artist","I-artist","B-date"],"domain" : "x"}
{"id":2,"words":["book","a","restaurant","for","25","people","in","paris"],"labels":["O","O","O","O","B-size","O","O","B-city"]}
{"id":3,"words":["hello"]}
{"id":4,"text":"  will it\tsnow tomorrow? \n"}
END
for noise in typo:1 keyboard:1 ocr:1 case:1 space:1 ent_typo spelling:1 swap:1 drop:1 insert:1 speech append_irr simplify verbose:1 \
  spelling:1+typo spelling:1+append_irr ent_typo+append_irr spelling:1+ent_typo+append_irr; do
  echo "[$noise]"
  lm-transform noise --noise $noise --no-log -z none u.jsonl | jq -r 'if .words then ([.words, (.labels // [])] | transpose | map(join("/")) | join(" ")) else .text end'
done
echo '[what the record says]'
lm-transform noise --noise spelling:1 --noise append_irr -z none u.jsonl | head -n 2
echo '[two runs list both]'
lm-transform noise --noise spelling:1 u.jsonl | lm-transform noise --noise typo:1 -z none | jq -c '[.noise[].op]'
echo '[strength 0: as it is spelt]'
lm-transform noise --noise spelling+typo+speech+append_irr --strength 0 --no-log -z none u.jsonl | cmp - u.jsonl
echo '[own table]'
printf 'Hello\thallo\n\npeople\tpepole\tppl\n' > table
lm-transform noise --noise spelling:1 --spelling-table table --no-log -z none u.jsonl | sed -n '2,3p' | jq -c .words
echo '[replaying the list on the clean words gives the noisy ones]'
lm-transform noise --noise speech+space+typo:1+append_irr -z none u.jsonl | head -n 3 > noisy.jsonl
jq -c -s 'def replay($edits): reduce $edits[] as $e (.; .[:$e.pos] + $e.to + .[$e.pos + ($e.from | length):]);
  . as $all | ($all | length / 2) as $n | range($n) | . as $i | ($all[$i].words | replay($all[$i + $n].noise)) == $all[$i + $n].words' <(head -n 3 u.jsonl) noisy.jsonl
echo '[report]'
lm-transform noise --noise typo:1 --report r.json u.jsonl -o out.jsonl && jq -c .metrics r.json
echo '{"words":["a"],"labels":["B-city"]}{"words":["b"],"labels":["B-citys"]}' | sed 's/}{/}\n{/' | lm-transform noise --noise typo -z none
