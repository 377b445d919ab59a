# The same bytes for any number of threads, and for partial results of shards in any order, with
# everything at once over several batches; also where counts of values and ids are estimates.
awk 'BEGIN { for (i = 1; i <= 34000; ++i) {
  printf "{\"id\":%d,\"source\":\"s%d\",\"text\":\"some \\u00e9 text of document number %d and more of the same so that batches fill%s\",", i % 30000, i % 5, i, i % 7 ? "" : "\\n\\u3000 and a line"
  printf "\"n\":%s,\"attributes\":{\"x\":[[%d,%d,0.%d]],\"y\":[[2,%d,1],[5,%d,1e-%d]]},\"metadata\":{\"url\":\"http://h%d.org\",\"v\":%d.%d}}\n", i % 3 ? i : "null", i % 5, i % 5 + i % 4, i % 10, 2 + i % 9, 5 + i % 3, i % 300, i % 20000, i % 1000, i % 97 } }' > in.jsonl
lm-cat --seekable in.jsonl -o in.zst
what=(--where 'low=score("x") < 0.8' --drop 'n % 7 == 3' --number 'q=n / 7' --discover yes --edges 'q=10,1000' --edges 'attributes.x=0.25,0.5' --top 'host(metadata.url)' --top source --group source --cross 'source,n' --count 'length(text)' --examples 4 --seed 9)
for values in 2000 100000; do
  these=("${what[@]}" --values $values --ids $values)
  for form in --json --tsv ''; do
    lm-stats "${these[@]}" $form -t 1 in.zst --html want.html > want
    for threads in 2 7; do lm-stats "${these[@]}" $form -t $threads in.zst --html got.html | cmp - want && cmp got.html want.html; done
    for n in 1 3; do
      for ((i = 0; i < n; ++i)); do lm-stats "${these[@]}" --partial --shard $i/$n in.zst -o $i.zst; done
      lm-stats merge $form --html got.html $(seq -f %g.zst $((n - 1)) -1 0) | cmp - want && cmp got.html want.html
    done
  done
  lm-stats "${these[@]}" --partial -t 1 -z none in.zst > whole
  lm-stats "${these[@]}" --partial -t 7 -z none in.zst | cmp - whole
  lm-stats merge --partial -z none 2.zst 0.zst 1.zst | cmp - whole
  cat 0.zst 1.zst 2.zst | lm-stats merge | cmp - want
  lm-stats merge --json whole | jq -c '[.totals.documents, .ids.exact, .ids.repeated, .values[0].exact, .values[1].exact]'
done
