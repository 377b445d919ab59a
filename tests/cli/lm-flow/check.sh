# Calibrate, plan and check by rules with errors of known distribution; times are given.
cat >count.script <<'END'
{"when":{"meta.role":"counts"},"fn":"count_digits","input":{"meta":"item"},"noise":{"kind":"binomial_miss","rate":0.02,"rate_per_char":0.0005}}
END
time=(--call-time 0.3,0.01,0,0.02,0)
lm-flow calibrate count --engine script:count.script "${time[@]}" --sizes 50,10,100 --trials 60 -o count.json
jq -c '[.schema, .problem, .trials, (.samples | length), (.sizes | map(.size))]' count.json
jq -c '.time | map_values(. * 1e6 | round / 1e6)' count.json
echo 'misses of 2.5, 4.5 and 7 % of the digits, about half of the characters'
jq -c '.sizes | map(.error_mean / .size * 100 | round)' count.json
lm-flow calibrate count --engine script:count.script "${time[@]}" --sizes 10,50,100 --trials 60 -t 1 | cmp - count.json && echo same
echo plan
plan() { lm-flow plan count --calibration count.json --engine script:count.script "$@"; }
plan --format json --length 200 --sizes 10,40,100 --workers 1,4 | jq -c '.[] | [.n, .m, .p, .calls, .least_error, .beyond, (.prefill_tokens > 0), (.latency_s.mean * 1.000001 >= .latency_p_s.mean), (.error.low <= .error.mean), ((.formula / .error.mean - 1) * 5 | round)]'
plan --length 300 --sizes 100,200 --workers 1 | tail -n 2 | grep -o 'least error\|beyond.*'
plan --length 100 --price 1,1 --workers 2 --latency list | head -n 1 | tr -s ' '
echo check
check() { lm-flow check count --engine "$@" "${time[@]}" --length 60,80,100,120 --check-sizes 15,30,40,70 --sizes 10,20,50,100; echo "status $?"; }
check script:count.script | grep -v '^ *[0-9]'
lm-flow check count --engine script:count.script "${time[@]}" --calibration count.json --length 100 --check-sizes 20 --format json | jq -c '[.bars.all, (.cells | map([.n, .m, .p, .calls.exact, .prefill_tokens.exact, .latency_s.near, .error.inside]))]'
echo 'another model'
sed 's/0.02,/0.3,/' count.script >worse.script
lm-flow check count --engine script:worse.script "${time[@]}" --calibration count.json --length 100 --check-sizes 20,40 2>&1 | grep -v '^ *[0-9]'
echo 'other times'
lm-flow check count --engine script:count.script --call-time 0.9,0.01,0,0.02,0 --calibration count.json --length 100 --check-sizes 20 --format json | jq -c '[.bars.all, .bars.latency]'
echo 'not meant'
refused() { lm-flow "$@"; echo "status $?"; }
refused plan count --engine script:count.script
refused plan sort --calibration count.json --engine script:count.script
refused plan count --calibration count.script --engine script:count.script
refused plan count --calibration count.json
refused check count --engine script:count.script --calibration count.json --trials 9
refused calibrate needle --engine script:count.script --sizes 20
refused calibrate count --engine script:count.script --set m=4
