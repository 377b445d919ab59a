printf '%s\n' '{"id":1,"s":3}' '{"id":2}' '{"id":3,"s":null}' '{"id":4,"s":9}' > in.jsonl
for policy in false keep drop error; do
  for kind in where drop; do
    echo "$policy $kind"; lm-mix --$kind 's > 5' --on-missing $policy --on-error skip -q -z none in.jsonl | jq -c .id
  done
done
lm-mix --where 's > 5' --on-missing error in.jsonl -z none; echo "status $?"
