# kept + removed + rejected is what was read, whatever the policies, in every form and verb.
for i in $(seq 1 200); do
  case $((i % 10)) in
    0) echo "{\"id\":$i,\"text\":5}" ;;
    1) echo "{\"id\":$i,\"text\":\"abc\",\"n\":\"x\"}" ;;
    2) echo 'no record' ;;
    *) echo "{\"id\":$i,\"text\":\"some text\",\"n\":$((i % 7)),\"source\":\"s$((i % 3))\"}" ;;
  esac
done > in.jsonl
sums='[.records.input, .records.kept + .records.removed + .records.rejected, ([.groups.groups[].totals.documents] | add) + .records.rejected, .records.kept == (.totals.kept // .records.kept), .records.kept, .records.removed, .records.rejected]'
run() { lm-stats --group source --on-error skip -q --report r.json in.jsonl --json "$@" | jq -c "$sums"; jq -c '[.inputs[0].records, .metrics.records]' r.json; }
run
run --drop 'n > 3' --where 'bytes(text) > 4'
run --on-missing error --drop 'source == "s1"' --on-error quarantine --rejects bad.jsonl
wc -l < bad.jsonl
for i in 0 1; do lm-stats --drop 'n > 3' --group source --on-error skip -q --partial --shard $i/2 --shard-by file in.jsonl in.jsonl -o $i.zst; done
lm-stats merge --json 1.zst 0.zst --report r.json | jq -c "$sums"; jq -c .metrics.records r.json
