# What cleaners would remove, cut out, is what they leave.
for i in $(seq 1 300); do
  echo "{\"id\":$i,\"text\":\"  It was day $i of many.  \\nMENU\\n$i views\\n\\u00e9t\\u00e9 $i\\nIs it so?[$i]\\nitems in cart $i\\n$((i * i))\"}"
done > in.jsonl
echo 'items in cart' > list
cleaners=(--clean ratio-lines --clean counter-lines:whole=no --clean line-len --clean ban-lines:list=list --clean c4:sentences=0)
lm-mix "${cleaners[@]}" -z none in.jsonl > cleaned.jsonl
lm-mix "${cleaners[@]}" --as-attributes -z none in.jsonl > measured.jsonl
cuts=()
for key in $(head -n 1 measured.jsonl | jq -r '.attributes | keys[]' | grep -v __drop_); do cuts+=(--cut "$key"); done
lm-mix "${cuts[@]}" -z none measured.jsonl | cmp - cleaned.jsonl && head -n 1 cleaned.jsonl
wc -l < cleaned.jsonl
# Drops as a rule.
awk 'NR % 3 == 0 { sub("of many", "of { many") } 1' in.jsonl > some.jsonl
lm-mix --clean c4:sentences=2 --as-attributes -z none some.jsonl | lm-mix --drop 'has("clean__c4__drop_curly_bracket")' -z none | wc -l
lm-mix --clean c4:sentences=2 -z none some.jsonl | wc -l
