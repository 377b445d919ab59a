# shellcheck shell=bash
setup() {
  lm-synth task knapsack -n 4000 --set most=6 --no-distinct -z none |
    jq -c 'if .opt % 7 == 0 then .completion |= sub("Total"; "total") else . end | if .opt % 11 == 0 then del(.instance) else . end' >made.jsonl
  frames made.jsonl 250 >made.zst
}
table() {
  local task
  for task in facts permute-bits invperm lookup permutation cipher setdisjoint mqar prefs knapsack binpack tsp vrp jssp fssp; do
    verb=task row "$task" shards 0 "$task" -n 60 --no-distinct -o out.zst
  done
  verb=task row distinct shards 0 prefs -n 9000 --set vocab=3 --set most=4 -o out.zst
  verb=check row check shards '.output.records + bad' --on-error skip ../made.zst -o out.zst
  verb=check row oracle shards '.output.records + bad' --on-error skip --oracle-stop 0.05 ../made.zst -o out.zst
}
