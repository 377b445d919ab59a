# An array, and objects over several lines, are met with the command that makes lines of them.
printf '[{"a":1},\n{"a":2}]\n' > array.json; jq -n '{a:1,b:{c:[2]}}' > pretty.json; gzip -nk pretty.json; zstd -q pretty.json; cp array.json "an array.json"
for f in array.json pretty.json pretty.json.gz pretty.json.zst "an array.json"; do lm-cat -z none "$f"; echo "status $?"; done
lm-cat < array.json; echo "status $?"
lm-cat -z none --on-error skip pretty.json
# The hints are right.
jq -c '.[]' array.json | lm-cat -z none; zcat pretty.json.gz | jq -c . | lm-cat -z none
# One line that is torn, among others, is no such file.
printf '{}\n{"a":\n' | lm-cat -z none; echo "status $?"
