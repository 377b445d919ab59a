# An infinite score is the most uncertain one; temperatures that are asked for must be there.
for i in 1 2 3 4; do printf '{"id":%d,"temperature":0.5,"correct":%d,"uq":{"scores":{"mine":0.%d}}}\n' $i $((i < 3)) $i; done > low.jsonl
printf '{"id":5,"temperature":0.5,"correct":0,"uq":{"scores":{"mine":null},"flags":["infinite"]}}\n' >> low.jsonl
printf '{"id":6,"temperature":0.5,"correct":1,"uq":{"scores":{"mine":null}}}\n' >> low.jsonl
lm-uq eval --boot 0 --metrics auroc,aurc,brier_iso,spearman low.jsonl; echo "status $?"
lm-uq eval --boot 0 --metrics auroc --at 0.3 low.jsonl; echo "status $?"
lm-uq eval --boot 0 --metrics auroc --at 0.5 low.jsonl > /dev/null; echo "status $?"
jq -c '.temperature = 1' low.jsonl > high.jsonl
lm-uq eval --boot 0 --metrics tsu --temperatures 0.5,2 low.jsonl high.jsonl; echo "status $?"
jq -c '.temperature = 1 | .id += 10' low.jsonl > others.jsonl
lm-uq eval --boot 0 --metrics tsu low.jsonl others.jsonl; echo "status $?"
jq -c 'del(.temperature)' low.jsonl | lm-uq eval --boot 0 --at 1; echo "status $?"
