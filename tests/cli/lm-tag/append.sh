key=entropy__entropy__bits
printf '%s\n' '{"text":"ab","attributes":{"'$key'":[[0,1,0.50]],"x":1}}' '{"text":"ab","attributes":{"'$key'":null}}' \
  '{"text":"ab"}' > in.jsonl
lm-tag -T entropy --attr-merge append -z none in.jsonl; echo "status $?"
echo '{"text":"ab","attributes":{"'$key'":7}}' | lm-tag -T entropy -q --attr-merge append -z none; echo "status $?"
