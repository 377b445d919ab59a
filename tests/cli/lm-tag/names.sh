echo '{"text":"a"}' > in.jsonl
for names in gopher_v3 c4_v2,nothing c4_v1,c4_v1 c4_v1,, ''; do
  lm-tag -T "$names" in.jsonl; echo "status $?"
done
lm-tag in.jsonl; echo "status $?"
lm-tag -T c4_v1 --experiment a-b in.jsonl; echo "status $?"
lm-tag -T c4_v1 --experiment '' in.jsonl; echo "status $?"
lm-tag -T c4_v1 --field attributes.x in.jsonl; echo "status $?"
lm-tag --list | grep -A 4 '^c4_v1'
lm-tag --list -o list.txt && head -n 1 list.txt
lm-tag --list -o list.zst; echo "status $?"
