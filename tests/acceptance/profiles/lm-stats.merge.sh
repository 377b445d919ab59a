# shellcheck shell=bash disable=SC2034
# Partial results of two shards.
verb=merge
output=text
streams=0
operands=("$work/0.zst" "$work/1.zst")
setup() {
  local i
  for i in 0 1; do "$bin/lm-stats" --partial --shard $i/2 --shard-by file "$data" "$data" -o "$work/$i.zst"; done
}
starts=50
