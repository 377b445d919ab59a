# Rules keep and drop; the report says what each removes, alone and with others.
printf '%s\n' '{"id":1,"text":"abc","source":"a","attributes":{"t__t__n":[[0,3,60]]}}' \
  '{"id":2,"text":"abc","source":"a","attributes":{"t__t__n":[[0,3,40]]}}' \
  '{"id":3, "text":"abc","source":"web", "attributes":{"t__t__n":[[0,3,60]]}}' \
  '{"id":4,"text":"abc","source":"web","attributes":{"t__t__n":[[0,3,40]]}}' '' \
  '{"id":5,"text":"abc","source":"a","n":1.50}' > in.jsonl
lm-mix --where 'long=score("t.n") >= 50' --drop 'source == "web"' --report report.json -z none in.jsonl
jq -c '.metrics | .rules[], del(.rules)' report.json
lm-mix --report-only --where 'long=score("t.n") >= 50' --drop 'source == "web"' in.jsonl
# Numbers, spaces and order of foreign fields stay; a rule of several records needs no attributes.
lm-mix --where 'n > 1' -z none in.jsonl
# Tokens of what is removed, beside records and bytes; names that would break a table.
lm-mix --report-only --count 'sum("t.n")' --where 'long=score("t.n") >= 50' --drop 'source == "web"' --cut 't.n:	tab' in.jsonl
lm-mix --count 'sum("t.n")' --where 'long=score("t.n") >= 50' --report report.json -z none in.jsonl | wc -l; jq -c '.metrics.rules[]' report.json
lm-mix --count 'score("t.n")' --on-error skip -z none in.jsonl | wc -l
