key=c4_v1__c4_v1__has_curly_brace
printf '%s\n' '{"id":1,"text":"a","attributes":{"x":[[0,1,0.50]],"'$key'":[[0,1,1]]}}' '{"text":"{","attributes":{}}' \
  '{"text":"{","attributes":null}' > in.jsonl
lm-tag -T c4_v1 -z none --no-declare in.jsonl
lm-tag -T c4_v1 -q -z none in.jsonl | jq -c '.attributes | keys | length'
echo 'an error'
lm-tag -T c4_v1 -q --attr-merge error -z none in.jsonl; echo "status $?"
printf '%s\n' '{"text":"a","attributes":[]}' | lm-tag -T c4_v1 -q -z none; echo "status $?"
echo 'run twice, the second changes nothing'
lm-tag -T gopher_v1 -z none in.jsonl > once.jsonl
lm-tag -T gopher_v1 -q -z none once.jsonl | cmp - once.jsonl && echo same
