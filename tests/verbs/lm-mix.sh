# shellcheck shell=bash
setup() {
  local i
  mkdir -p documents/p attributes/e/p
  for i in 0 1 2; do
    lm-mix -q --where 'length(text) > 0' --shard $i/3 --on-error skip in.zst -o documents/p/$i.jsonl.zst
    lm-cat -z none documents/p/$i.jsonl.zst | jq -c '{id, source, attributes: {y: [[0, 3, 1]]}}' | lm-cat -o attributes/e/p/$i.jsonl.zst
  done
  cat >recipe.json <<END
{"streams":[{"name":"a","documents":["../documents/**"],"attributes":["e"],"where":["score(\"y\") == 1","n < 70"],"cut":"x","output":{"path":"out","max_size":"200K"}},
 {"name":"b","documents":["../documents/p/[12]*"],"shuffle":true,"sample":1.5,"output":{"path":"out"}},
 {"name":"c","documents":["../documents/p/0*"],"reservoir":50,"output":{"path":"other"}}]}
END
}
table() {
  # What a record became, and that bad ones are the rejected ones.
  local of='.rejected + .removed.records + .unsampled.records + (.dropped.records // 0) + .emptied.records + .too_short.records + .kept.records'
  local all=".metrics | $of" s='--on-error skip'
  local kept="if .metrics.rejected == bad and .output.records == .metrics.kept.records + .metrics.copies then $all else -1 end"
  row rules shards "$kept" $s --where 'long=length(text) > 150' --drop 'n=n > 70' --drop 'x=score("x") > 0.7' ../in.zst -o out.zst
  row filters shards "$kept" $s --include '$.attributes[?(@.x)]' --exclude 'n=$[?(@.n > 70)]' ../in.zst -o out.zst
  row jq shards "$kept" $s --syntax jq --exclude '(.n // 0) > 70' ../in.zst -o out.zst
  row sample shards "$kept" $s --sample 1.4 --unique-ids ../in.zst -o out.zst
  row cut shards "$kept" $s --cut 'x>=0.3:[{}]' --min-text-length 100 --provenance --discard kind ../in.zst -o out.zst
  row clean shards "$kept" $s --clean mojibake --clean pii --clean c4:sentences=1 --clean word-removal ../in.zst -o out.zst
  row as-attributes shards "$kept" $s --clean pii --clean c4 --as-attributes ../in.zst -o out.zst
  row reservoir again "$kept" $s --reservoir 300 ../in.zst -o out.zst
  row top again "$kept" $s --top 50 --by 'length(text)' --group source ../in.zst -o out.zst
  row weights plain "$kept" $s --weights 's0=3,s1=1,s2=1,s3=1,bad=0' --budget 600000 ../in.zst -o out.zst
  row budget plain "$kept" $s --where 'length(text) > 0' --budget 2e6 --shuffle ../in.zst -o out.zst
  row shuffle plain "$kept" $s --shuffle ../in.zst -o out.zst
  row shuffle-spills plain "$kept" $s --shuffle --memory 200K ../in.zst -o out.zst
  row shuffle-buffer plain "$kept" $s --shuffle-buffer 300 ../in.zst -o out.zst
  row report-only plain "$all" $s --report-only --where 'length(text) > 150' --clean c4 ../in.zst
  row max-size plain "$all" $s --where 'length(text) > 150' --max-size 200K ../in.zst -o 'out-%d.zst'
  row sidecar plain "$kept" --sidecar ../attributes/e --where 'score("y") == 1' ../documents/p/{0,1,2}.jsonl.zst -o out.zst
  row recipe plain "[.metrics.streams[] | $of] | add" --recipe ../recipe.json
}
