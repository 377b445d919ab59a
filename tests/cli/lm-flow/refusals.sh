# What cannot be meant ends the run before a record is read; what a record lacks makes it bad.
echo '{"when":{},"fn":"count_digits","input":{"meta":"item"}}' >count.script
echo '{"text":"a1"}' >in.jsonl
flow() { lm-flow "$@" -z none; echo "status $?"; }
flow run
flow run cuont in.jsonl --engine script:count.script
flow run ./missing.yaml in.jsonl --engine script:count.script
flow run count in.jsonl
flow run count in.jsonl --engine count.script
flow run count in.jsonl --engine script:count.script --tokenizer x
flow run count in.jsonl --engine script:count.script --set k=3
flow run count in.jsonl --engine script:count.script --set m
flow run count in.jsonl --engine script:count.script --set m=x
flow run count in.jsonl --engine script:count.script --workers 1,2
flow run count in.jsonl --engine script:count.script --call-time 1,2
flow run count in.jsonl --engine script:count.script --field id
flow run count in.jsonl --engine script:count.script --field text
printf 'nodes:\n- {id: a, op: choose, in: [b]}\n- {id: b, op: choose, in: [a]}\nanswer: a\n' >circle.yaml
flow run circle.yaml in.jsonl --engine script:count.script
printf 'nodes:\n- {id: a, op: summ, in: [input.x]}\nanswer: a\n' >word.yaml
flow run word.yaml in.jsonl --engine script:count.script
flow run circle.yaml -o circle.yaml in.jsonl --engine script:count.script
echo 'bad records'
printf '%s\n' '{"id":1,"text":7}' '{"id":2}' '{"id":3,"text":"x1"}' '{"id":4,"text":null}' '{"id":5,"flow":3,"text":"22"}' >bad.jsonl
lm-flow run count bad.jsonl --engine script:count.script -z none | jq -c '[.id, .error.code, .flow.answer]'
flow run count bad.jsonl --engine script:count.script --on-error fail
echo '{"id":1,"text":"abcdefgh"}' | flow run count --engine script:count.script --set m=1 --max-calls 5
echo '{"when":{"meta.item":"b"},"reply":"1"}' >few.script
echo '{"id":1,"text":"ab"}' | flow run count --engine script:few.script --set m=1
