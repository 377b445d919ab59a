printf '%s\n' '{"id":1,"text":"the cat sat on the mat\nthe dog sat on the log"}' '{"id":2,"text":"a cat saw the dog"}' > wiki.jsonl
lm-ngram train -k 3 --discount-fallback wiki.jsonl -o wiki.lmng
s() { lm-ppl-filter "$@" wiki.jsonl; echo "status $?"; }
s score
s score -m wiki.lmng --zlib
mkdir folder; s score -m folder
s score -m wiki.jsonl
s score --contrast wiki.lmng
s score -m wiki.lmng --name 'a b'
s score -m wiki.lmng --tokenizer none.model
s select -m wiki.lmng
s select -m wiki.lmng --keep-lowest 1.5
s select -m wiki.lmng --percentile 60,30
s select -m wiki.lmng --percentile 60
s select -m wiki.lmng --min 2 --max 1
s select --from-attr a.b --min 2
s select --from-attr q --min 2 --annotate
s bucket --from-attr q --buckets head:30
s bucket --from-attr q --buckets all:100
s bucket --from-attr q --split-output x.jsonl
s bucket --from-attr q --split-output 'x-%s.jsonl' -o y.jsonl
s bucket --from-attr q --cutoffs none.csv
printf 'p,all\n101,1\n' > bad.csv; s bucket --from-attr q --cutoffs bad.csv
printf 'p,all\n30,1\n' > ok.csv; s bucket --from-attr q --cutoffs ok.csv --buckets a:33.3,b:100
s bucket --from-attr q --cutoffs ok.csv --cutoffs-out new.csv
s select --from-attr q --cutoffs ok.csv --keep-lowest 0.1
ls
# a name that no record has selects nothing
printf '%s\n' '{"text":"a","q":1}' '{"text":"b","q":2}' > q.jsonl
lm-ppl-filter select --from-attr typo --keep-lowest 0.5 q.jsonl -o none.jsonl; echo "status $?"; [ -e none.jsonl ] || echo absent
# a table is text
lm-ppl-filter cutoffs --from-attr q q.jsonl -o cut.csv.zst; echo "status $?"
