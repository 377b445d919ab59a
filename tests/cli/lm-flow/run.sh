# A graph on every record, answered by rules.
cat >count.script <<'END'
{"when":{"meta.role":"counts"},"fn":"count_digits","input":{"meta":"item"}}
END
lm-flow gen count -n 3 --length 120 -z none >in.jsonl
run() { lm-flow run "$@" -z none --engine script:count.script; }
run count in.jsonl --set m=50 --drop-extra | jq -c 'del(.lm)'
echo 'right, and the record stays as it was'
run count in.jsonl --set m=17 | jq -c '.answer == .flow.answer' | sort | uniq -c | tr -s ' '
run count in.jsonl | sed 's/,"flow".*/}/' | cmp - in.jsonl && echo same
echo 'one call at once, many, threads: the same bytes'
run count in.jsonl --set m=7 >want
for options in '--batch 1' '--batch 500' '-t 1' '-t 7'; do
  # shellcheck disable=SC2086
  run count in.jsonl --set m=7 $options | cmp - want && echo "same with $options"
done
echo 'latencies by times of calls: 3 calls of 2 s, 4 at once'
run count in.jsonl --call-time 2,0,0,0,0 | head -n 1 | jq -c '.flow.cost | [.latency_s, .latency_ideal_s, .latency_p_s, .latency_block_s]'
run count in.jsonl --call-time 2,0,0,0,0 --workers 2 | head -n 1 | jq -c '.flow.cost | [.latency_s, .latency_ideal_s, .latency_p_s, .latency_block_s]'
run count in.jsonl --price 1000000,10 | head -n 1 | jq -c '.flow.cost | .price == .prefill_tokens + .decode_tokens / 100000'
echo 'trace'
head -n 1 in.jsonl | jq -c '.text = "a1b22c"' | run count --set m=3 --trace | jq -c '.flow.trace[]'
echo 'usage'
run count in.jsonl --report report.json >out && jq -c '.metrics.flow.usage' report.json
echo 'field'
run count in.jsonl --field a.b | head -n 1 | jq -c '.a.b.answer == .answer'
cat >sort.script <<'END'
{"when":{"meta.role":"lists"},"fn":"sort_numbers","input":{"meta":"item"},"prefix":"[","suffix":"]"}
END
lm-flow gen sort -n 5 --length 60 -z none | lm-flow run sort --set m=7 --engine script:sort.script -z none | jq -c '.answer == .flow.answer' | sort | uniq -c | tr -s ' '
cat >needle.script <<'END'
{"when":{"meta.role":"answers"},"fn":"find_needle","input":{"meta":"item"},"needle":{"meta":"question"}}
END
lm-flow gen needle -n 10 -z none | lm-flow run needle --set m=500 --engine script:needle.script -z none | jq -c '.answer == .flow.answer' | sort | uniq -c | tr -s ' '
