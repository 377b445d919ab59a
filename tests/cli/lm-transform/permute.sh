cat > facts.jsonl <<"END"
{"id":"a","n" :1.50,"text":"Daphne Barrington, known far and wide, is the director of \"A Journey\".  She ran 5 km in Rome!\n"}
{"id":"b","text":"Alice is the m\u006fther of Bob."}
{"text":""}
END
for how in chunk token ngram:3 none; do
  echo "[$how]"; lm-transform --permute $how --permute-probs 0,0,1 --no-meta -z none facts.jsonl 2>&1 | cut -c 1-150
done
echo '[what the record says]'
lm-transform --permute chunk-reverse -z none facts.jsonl
echo '[the identity is the line as it is spelt]'
lm-transform --permute-probs 1,0,0 --no-meta -z none facts.jsonl | cmp - facts.jsonl
echo '[undone]'
for how in chunk token ngram:2; do
  lm-transform --permute $how --orders 3 facts.jsonl | lm-transform --inverse -z none | jq -c .text | sort | uniq -c
done
echo '[copies]'
lm-transform --orders 2 --unique-ids -z none facts.jsonl | jq -c '[.id,.permute.epoch]'
