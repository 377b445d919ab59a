# shellcheck shell=bash
setup() {
  head -n 300 in.jsonl | lm-ngram train --on-error skip -k 2 --discount-fallback - -o a.lmng
  sed -n 301,600p in.jsonl | lm-ngram train --on-error skip -k 2 --discount-fallback - -o b.arpa
  lm-ppl-filter cutoffs -q --on-error skip -m a.lmng --group source in.zst -o cutoffs.csv
  "$bin/helpers/make-tiny-model" model
  awk 'BEGIN { srand(2); other = sprintf("%600s", ""); for (i = 0; i < 3000; ++i)
    printf "{\"id\":\"q%d\",\"task\":\"t%d\",\"strategy\":\"s%d\",\"prompt\":\"%d\",\"answer\":%s,\"ppl\":%d,\"other\":\"%s\"}\n", int(i / 3), i % 2, i % 3, i % 7, i % 1999 == 1998 ? "7" : "\"" int(rand() * 90) "\"", rand() * 9, other }' >answers.jsonl
  for i in 0 1 2 3 4 5; do echo "{\"task\":\"t$((i % 2))\",\"strategy\":\"s$((i / 2))\",\"accuracy\":0.$((i * 7 % 10))}"; done >accuracies.jsonl
}
table() {
  local all='.output.records + bad' s='--on-error skip'
  local kept='(.metrics | .kept + .removed)'
  local chosen="if .output.records == .metrics.kept then (.metrics | .kept + .removed) + bad else -1 end"
  verb=score row score shards "$all" $s -m ../a.lmng ../in.zst -o out.zst
  verb=score row zlib shards "$all" $s --zlib ../in.zst -o out.zst
  verb=score row contrast shards "$all" $s --contrast ../a.lmng,../b.arpa ../in.zst -o out.zst
  verb=score row folder shards "$all" $s -m ../model --device cpu --max-tokens 2 ../in.zst -o out.zst
  verb=select row limits shards "$chosen" $s -m ../a.lmng --max 30 ../in.zst -o out.zst
  verb=select row table shards "$chosen" $s -m ../a.lmng --group source --cutoffs ../cutoffs.csv --percentile 20,70 ../in.zst -o out.zst
  verb=select row rank plain "$chosen" $s --from-attr q --group source --keep-lowest 0.3 --cutoffs-out c.csv ../in.zst -o out.zst
  verb=bucket row bucket plain "$chosen" $s -m ../a.lmng ../in.zst -o out.zst
  verb=bucket row bucket-table shards "$chosen" $s -m ../a.lmng --group source --cutoffs ../cutoffs.csv --annotate ../in.zst -o out.zst
  verb=bucket row bucket-split plain "$kept + bad" $s --zlib --split-output '%s.zst' ../in.zst
  verb=cutoffs row cutoffs plain '.metrics.documents + bad' $s --zlib ../in.zst -o out.csv
  verb=responses row responses plain - $s -m ../model --device cpu --metric ppl,length --allow-missing --first 50 --boot 20 --format json ../answers.jsonl
  verb=responses row per-item plain "$chosen" $s -m ../model --device cpu --metric ppl --per-item --allow-missing --first 50 --boot 2 ../answers.jsonl -o out.zst
  verb=eval row eval plain - $s --accuracies ../accuracies.jsonl --metric ppl --boot 20 --format json ../answers.jsonl
}
