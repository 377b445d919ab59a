# shellcheck shell=bash
table() {
  local all='.metrics.records | if .rejected + .kept + .removed == .input then .input else -1 end' s='--on-error skip'
  local what=(--where 'low=score("x") < 0.8' --drop 'n > 70' --top 'host(metadata.url)' --group source --cross 'source,kind' --edges 'n=10,50' --count 'length(text)' --examples 3)
  row table plain "$all" $s "${what[@]}" ../in.zst
  row json plain "$all" $s "${what[@]}" --json ../in.zst -o out.json
  row tsv plain "$all" $s "${what[@]}" --tsv ../in.zst
  row html plain "$all" $s "${what[@]}" --html out.html ../in.zst
  row estimates plain "$all" $s --top id --values 1000 --ids 1000 --json ../in.zst
  local i n
  for n in 1 3; do
    for ((i = 0; i < n; ++i)); do lm-stats -q $s "${what[@]}" --partial --shard $i/$n in.zst -o p$i-$n.zst; done
  done
  row partial plain "$all" $s "${what[@]}" --partial ../in.zst -o out.zst
  verb=merge row merge plain '([.inputs[].records] | add)' --json ../p2-3.zst ../p0-3.zst ../p1-3.zst
  verb=merge row merge-partial plain '([.inputs[].records] | add)' --partial ../p2-3.zst ../p0-3.zst ../p1-3.zst -o out.zst
  lm-stats merge --json p0-1.zst >one.json
  lm-stats merge --json p1-3.zst p2-3.zst p0-3.zst >three.json
  lm-stats -q $s "${what[@]}" --json in.zst >whole.json
  ok 'merge: one shard is the whole' cmp -s whole.json one.json
  ok 'merge: three shards are the whole' cmp -s whole.json three.json
}
