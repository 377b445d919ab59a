# Three sources of 100, 300 and 600 documents of 100 bytes each.
word=$(printf 'x%.0s' $(seq 100))
for i in $(seq 1 1000); do
  s=$([ $i -le 100 ] && echo books || { [ $i -le 400 ] && echo wiki || echo web; })
  echo "{\"id\":$i,\"source\":\"$s\",\"text\":\"$word\",\"n\":10}"
done > in.jsonl
s() { lm-mix "$@" --report r.json -z none in.jsonl > out.jsonl; echo "status $?"; jq -c '.metrics.sources[]' r.json; jq -r .source out.jsonl | sort | uniq -c | tr -s ' '; }
s --budget 5e4
s --weights 'books=1,wiki=1,web=2' --budget 4e4
s --weights temperature:0
s --weights unimax:2 --budget 9e4
s --weights 'books=1,wiki=0,web=0' --count n
lm-mix --report-only --weights unimax:1 --count n --budget 5000 in.jsonl
lm-mix --weights 'books=1,web=1' in.jsonl; echo "status $?"
lm-mix --weights 'books=1,web=1,wiki=1,news=1' in.jsonl; echo "status $?"
# The same for any threads; every source's sample contains its smaller ones.
lm-mix --weights temperature:0.5 --shuffle -z none in.jsonl > want.jsonl
for threads in 1 2 7; do lm-mix --weights temperature:0.5 --shuffle -t $threads -z none in.jsonl | cmp - want.jsonl; done
lm-mix --budget 2e4 -z none in.jsonl | sort > small.jsonl; lm-mix --budget 5e4 -z none in.jsonl | sort | comm -13 - small.jsonl | wc -l
# Counts of what is kept: rules and cuts come first.
lm-mix --drop 'source == "web"' --budget 1e4 --report r.json -q -z none in.jsonl > /dev/null; jq -c '.metrics.sources[]' r.json
