echo '{"when":{},"fn":"count_digits","input":{"meta":"item"}}' > count.script
cat > sum.yaml <<'Y'
nodes:
- {id: s, op: sum, in: [input.l]}
answer: s
Y
run() { lm-flow run "$@" --engine script:count.script -z none 2>/dev/null | sed 's|\\ud800|?|g' | jq -c '[.id, .flow.answer, .error.code, .error.message]'; }
# sums that no number holds, and texts that are none, are bad records
printf '%s\n' '{"id":"a","l":[1,2.5,null]}' '{"id":"b","l":[1e308,1e308]}' '{"id":"c","l":[9223372036854775807,1]}' '{"id":"d","l":["\ud800"]}' | run sum.yaml
printf '%s\n' '{"id":"e","text":"\ud800"}' '{"id":"f","text":"a1"}' | run count
# numbers out of range are named with it
for option in '--call-time 1e300,0,0,0,0' '--call-time 1,2' '--workers 1e18' '--price 1,-1'; do
  echo '{"text":"a1"}' | lm-flow run count --engine script:count.script $option; echo "status $?"
done
