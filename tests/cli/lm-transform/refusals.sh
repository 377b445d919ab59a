run() { "$@"; echo "status $?"; }
echo '{"id":1,"text":"Alice is here."}' > a.jsonl
run lm-transform --permute chunks a.jsonl
run lm-transform --permute ngram:0 a.jsonl
run lm-transform --permute-probs 1,1 a.jsonl
run lm-transform --permute token-reverse --permute-probs 1,1,1 a.jsonl
run lm-transform --chunks-field c --permute token a.jsonl
run lm-transform --meta-field a.b a.jsonl
run lm-transform --field permute a.jsonl
run lm-transform --orders 2 --inverse a.jsonl
run lm-transform --inverse a.jsonl
# A text that was changed since, and what is no list of moves.
lm-transform --permute chunk-reverse -z none a.jsonl | sed 's/Alice/Bob/' > changed.jsonl
run lm-transform --inverse changed.jsonl
lm-transform --permute chunk-reverse -z none a.jsonl | sed 's/Alice/Alicf/' > changed.jsonl
run lm-transform --inverse changed.jsonl
echo '{"text":"x","permute":{"level":"text","digest":"0","moved":[{"at":[0,5],"units":[]}]}}' > moved.jsonl
run lm-transform --inverse moved.jsonl
echo '{"text":"x","permute":{"level":"text","digest":"0","moved":7}}' > moved.jsonl
run lm-transform --inverse moved.jsonl
echo '{"text":"x","permute":{"level":"token","digest":"0","moved":[]}}' > moved.jsonl
run lm-transform --inverse moved.jsonl
run lm-transform infill --span-ratio 0.5:0.1 a.jsonl
run lm-transform infill --span-len 0:3 a.jsonl
run lm-transform infill --infill-rate 0.8 --prefix-rate 0.3 a.jsonl
run lm-transform infill --prefix-rate 0.3 a.jsonl
run lm-transform infill --variant b a.jsonl
run lm-transform infill --format nothing a.jsonl
run lm-transform infill --format deepseek a.jsonl
echo '{"layout":"psm","prefix":"<p>"}' > format.json
run lm-transform infill --format format.json a.jsonl
lm-tokenize train -q -n 270 --special-token '<sep>' --special-token '<|endoftext|>' a.jsonl -o tok/
run lm-transform infill -m tok a.jsonl
run lm-transform infill --format psm -m tok a.jsonl
echo '{"text":"so <sep> it is"}' | run lm-transform infill
run lm-transform noise a.jsonl
run lm-transform noise --noise typos a.jsonl
run lm-transform noise --noise typo:2 a.jsonl
printf 'tomorrow\n' > table
run lm-transform noise --noise spelling --spelling-table table a.jsonl
run lm-transform noise --noise synonym --wordnet nowhere a.jsonl
for record in '{"id":1}' '{"words":["a"],"labels":["O","O"]}' '{"words":["a"],"labels":["city"]}' '{"words":[""]}' \
  '{"words":"a"}' '{"words":[1]}' '{"words":["a"],"labels":["O"],"noise":7}'; do
  echo "$record" | run lm-transform noise --noise typo
done
