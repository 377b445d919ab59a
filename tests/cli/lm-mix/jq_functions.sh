# A filter of jq sees one record: there is no further input, no module, nobody who reads messages.
printf '{"id":%d,"text":"x"}\n' 1 2 > in.jsonl
for filter in input 'input?' inputs debug 'import "x" as x; 1' 'include "x"; 1'; do
  echo "$filter"
  for i in 1 2 3; do lm-mix -q --syntax jq --include "$filter" -z none in.jsonl; echo $?; done
done 2>&1
