for s in 3 1 2 null 2 1; do echo "{\"id\":$((++i)),\"s\":$s,\"attributes\":{\"q\":[[0,0,$s]]}}"; done > in.jsonl
ids() { jq .id | tr '\n' ' '; echo; }
lm-ppl-filter select --from-attr q --keep-lowest 0.5 -z none in.jsonl 2>/dev/null | ids
lm-ppl-filter select --from-attr q --keep-highest 0.5 -z none in.jsonl 2>/dev/null | ids
lm-ppl-filter select --from-attr q --keep-lowest 1 -z none in.jsonl | ids
lm-ppl-filter select --from-attr q --keep-lowest 0 -z none in.jsonl 2>/dev/null | ids
lm-ppl-filter select --from-attr q --min 2 --max 2 -z none in.jsonl 2>/dev/null | ids
lm-ppl-filter select --from-attr q --percentile 0,50 -z none in.jsonl 2>/dev/null | ids
lm-ppl-filter select --from-attr q --percentile 50,100 -z none in.jsonl 2>/dev/null | ids
lm-ppl-filter select --from-attr q --keep-lowest 0.8 --min 2 -z none in.jsonl 2>/dev/null | cmp - <(sed -n '3p' in.jsonl; sed -n '5p' in.jsonl)
