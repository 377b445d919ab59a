printf '%s\n' '{"id":"a","text":"One two three.\nfour \u00e9\nUse JavaScript now."}' '{"text":""}' '{"id":3,"text":"x"}' > in.jsonl
lm-tag -T c4_v2 -q --explain in.jsonl
echo 'the first record'
lm-tag -T c4_v2 -q --explain=1 in.jsonl | wc -l
lm-tag -T c4_v2 -q --explain=2 -o found.txt in.jsonl && grep -c '^line ' found.txt
lm-tag -T c4_v2 -q --explain=0 in.jsonl; echo "status $?"
lm-tag -T c4_v2 -q --explain --sidecar d in.jsonl; echo "status $?"
lm-tag -T c4_v2 -q --explain --seekable in.jsonl; echo "status $?"
echo 'several inputs are named'
lm-tag -T c4_v2 -q --explain in.jsonl in.jsonl | grep '^in.jsonl:' | sort | uniq -c
