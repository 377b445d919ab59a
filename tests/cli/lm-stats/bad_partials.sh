# Partial results that are cut, changed, foreign or of other options are refused by name.
for i in 1 2 3; do echo "{\"id\":$i,\"text\":\"x\",\"n\":$i}"; done > in.jsonl
lm-stats --partial in.jsonl -o good.zst
lm-stats --partial in.jsonl -z none > good.jsonl
merge() { lm-stats merge --json "$@" | jq -c .records; echo "${PIPESTATUS[0]}"; }
merge good.zst good.jsonl
head -c -20 good.zst > cut.zst; merge good.zst cut.zst 2> err; sed 's/at byte [0-9]*/at byte N/' err >&2
head -n -1 good.jsonl > cut.jsonl; merge good.zst cut.jsonl
sed '3d' good.jsonl > lost.jsonl; merge good.zst lost.jsonl
sed '2s/\[0/[1/' good.jsonl > changed.jsonl; merge changed.jsonl
sed 's/"lm_stats":1/"lm_stats":2/' good.jsonl > newer.jsonl; merge newer.jsonl
lm-stats --partial --top n in.jsonl -o other.zst; merge good.zst other.zst
merge in.jsonl; merge --on-error skip good.zst
echo 'nothing' >> good.jsonl; merge good.jsonl
: > empty; merge empty
lm-stats --partial --drop 'score("t.x") > 1' in.jsonl -o misspelt.zst; echo $?; merge misspelt.zst
