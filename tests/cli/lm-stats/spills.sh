# Groups and values that do not fit in --memory spill: the same bytes as in one piece, for any number
# of threads. What can neither be kept nor spilled ends the run with what would do.
awk 'BEGIN { for (i = 1; i <= 30000; ++i) {
  printf "{\"id\":%d,\"source\":\"s%d\",\"text\":\"some text of document %d that fills a batch with its words\",\"n\":%d.%d,", i, i % 3000, i, i, i % 1000
  printf "\"attributes\":{\"x\":[[0,%d,0.%d]],\"y\":%d,\"z\":%d},\"url\":\"http://h%d.example.org\"}\n", 1 + i % 9, i, i % 777, i % 91, i } }' > in.jsonl
lm-cat --seekable in.jsonl -o in.zst # several units to share
what=(--group source --top 'host(url)' --cross 'source,n' --discover yes --number 'm=n * 2')
for form in --json --tsv '' --partial; do
  these=("${what[@]}" $form -z none); [ "$form" = --partial ] || these=("${what[@]}" $form)
  lm-stats "${these[@]}" -t 1 --ids 1000 in.zst > want
  for threads in 1 2 7; do
    lm-stats "${these[@]}" -t $threads --ids 1000 --memory 24M in.zst --report r.json > got || echo $?
    cmp want got
    jq -c '.metrics.spilled_bytes > 1e6' r.json
  done
done
lm-stats "${what[@]}" --partial in.zst -o whole.zst
lm-stats merge --json whole.zst whole.zst > want
lm-stats merge --json --memory 12M whole.zst whole.zst > got 2> said || lm-stats merge --json --memory "$(sed -n 's/.*--memory \([0-9]*[MG]\).*/\1/p' said)" whole.zst whole.zst > got; cmp got want
# The figure of the hint is enough.
numbers=(--exact --number n --ids 1000 -t 1 in.zst)
lm-stats "${numbers[@]}" --memory 1M > /dev/null 2> said; echo $?
memory=$(sed -n 's/.*--memory \([0-9]*[MG]\).*/\1/p' said); [ -n "$memory" ]
lm-stats "${numbers[@]}" --memory $memory | tail -n 1
