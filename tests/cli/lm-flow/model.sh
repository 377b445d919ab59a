# A model folder answers: batches change nothing, recordings replay, stopped runs go on.
"$(dirname "$(command -v lm-flow)")"/helpers/make-tiny-model m 1 262 128
lm-flow gen count -n 6 --length 60 -z none >in.jsonl
run() { lm-flow run count --set m=15 in.jsonl -z none "$@"; }
run -m m >want
jq -c '[(.flow.answer | type), .flow.cost.calls]' want | sort | uniq -c | tr -s ' '
run -m m --batch 1 | cmp - want && echo 'same one by one'
run --engine local:m --batch 50 --chunk 7 | cmp - want && echo 'same by name'
run -m m --record calls.jsonl | cmp - want && wc -l <calls.jsonl
run --engine replay:calls.jsonl | jq -c .flow | cmp - <(jq -c .flow want) && echo 'same from the recording'
echo 'prompt tokens are those that plan counts'
lm-flow calibrate count -m m --sizes 15,30 --trials 3 --call-time 1,0,0,0,0 -o c.json
lm-flow check count -m m --calibration c.json --call-time 1,0,0,0,0 --length 60 --check-sizes 15,20 --check-trials 3 --format json | jq -c '.cells | map([.calls.exact, .prefill_tokens.exact, .latency_s.near]) | unique'
lm-flow plan count -m m --calibration c.json --length 60 --sizes 15 --workers 1 --trials 3 --format json | jq -c 'map([.calls, (.latency_s.mean * 1e6 | round / 1e6)])'
head -n 3 want >part.jsonl
run -m m --resume part.jsonl --report r.json | cmp - want && jq -c '.metrics.flow | [.records, .reused_records]' r.json
