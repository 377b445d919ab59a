# A model rewords utterances with marks for slots; what it lost is not taken.
cat > u.jsonl <<"END"
{"id":1,"words":["play","music","by","sabrina","salerno"],"labels":["O","O","O","B-artist","I-artist"]}
{"id":2,"words":["rain","in","rome","tomorrow"],"labels":["O","O","B-city","B-date"]}
END
lm-transform noise --mark-field prompt -z none u.jsonl | tee marked.jsonl | jq -r .prompt
sed -e 's/}$/,"reply":"put on <s1>, please"}/; 2s/"reply":.*/"reply":"will it rain <s2>?"}/' marked.jsonl > reworded.jsonl
lm-transform noise --paraphrase-field reply -z none reworded.jsonl | jq -c '[.words, .labels, [.noise[].op]]'
lm-transform noise --paraphrase-field reply --noise append_irr --report r.json -z none reworded.jsonl -q | jq -c '[.noise[].op]'
jq .metrics.rejected_rewordings r.json
lm-transform noise --paraphrase-field nothing u.jsonl
echo "status $?"
lm-transform noise --mark-field m --noise typo u.jsonl
echo "status $?"
