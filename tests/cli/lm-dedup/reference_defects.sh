# Dolma and duplodocus get these wrong; each with the smallest document that shows it.
echo 'D-10: the span of a document counts characters of its text, whatever its key'
printf '%s\n' '{"text":"h\u00e9\ud83d\ude00","k":"a long key"}' '{"text":"h\u00e9\ud83d\ude00","k":"a long key"}' > a.jsonl
lm-dedup --key k -z none a.jsonl | jq -c .attributes
echo 'D-16: a filter size without an expected number of keys'
lm-dedup --bloom-size 1M a.jsonl -o out.jsonl; echo "status $?"
echo 'D-17: of copies in one batch the first is kept, with any number of threads'
seq 20000 | awk '{ printf "{\"id\":%d,\"text\":\"%d\"}\n", $1, $1 % 7 }' > b.jsonl
for t in 1 2 7; do lm-dedup --bloom-n 1000 --action remove -t $t -z none b.jsonl | jq .id | tr '\n' ' '; echo; done
echo 'D-18: a least number of words only exempts shorter documents'
printf '%s\n' '{"id":1,"text":"a b c"}' '{"id":2,"text":"a b c"}' '{"id":3,"text":"a"}' '{"id":4,"text":"a"}' > c.jsonl
lm-dedup --min-words 2 --action remove -z none c.jsonl | jq .id | tr '\n' ' '; echo
echo 'D-26: spans of paragraphs beyond ASCII reach to the newline and no further'
printf '%s\n' '{"text":"\u00e9\n\u00e9\n"}' '{"text":"\u00e9"}' | lm-dedup paragraph -z none | jq -c .attributes
echo 'D-34: documents without content are not one cluster'
printf '%s\n' '{"id":1,"text":""}' '{"id":2,"text":""}' '{"id":3,"text":"?!"}' '{"id":4,"text":" "}' > d.jsonl
for verify in exact sketch none; do lm-dedup minhash --verify $verify --action remove -z none d.jsonl | jq .id | tr '\n' ' '; echo; done
lm-dedup --action remove -z none d.jsonl | jq .id | tr '\n' ' '; echo
