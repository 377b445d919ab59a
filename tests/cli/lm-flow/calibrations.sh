# Calibrations that are damaged are refused by key; those of others are used with a warning.
for rate in 0.02 0.3; do echo '{"when":{},"fn":"count_digits","input":{"meta":"item"},"noise":{"kind":"binomial_miss","rate":'$rate'}}' >$rate.script; done
time=(--call-time 0.5,0.01,0,0.02,0)
calibrate() { lm-flow calibrate "$@" --engine script:0.02.script "${time[@]}" --sizes 10,20 --trials 4 -o c.json; }
calibrate count --seed 18446744073709551615
plan() { lm-flow plan count --calibration "$@" --length 40 --sizes 20 --workers 1 --draws 50 --format json | jq -c '.[] | [.n, .m, .calls]'; }
plan c.json --engine script:0.02.script
calibrate count --record calls.jsonl
echo 'damaged'
# Of times the key alone: digits of a fit are the machine's.
damaged() { jq -c "$1" c.json >d.json; plan d.json --engine script:0.02.script 2>&1 | sed 's/\(key "time" is\).*/\1 .../'; }
damaged '.sizes[0].error_mean = 5'
damaged '.sizes[1].calls = 3'
damaged '.sizes[1].seconds *= 1.01'
damaged '.time.a0 *= 1.01'
damaged '.time.b2 = 1e-2'
damaged '.samples |= .[1:]'
damaged '.samples[2].value += 1'
damaged '.samples[0].size = 15'
damaged '.samples[0].needles = 1'
damaged '.samples[0].last = true'
damaged '.samples[0].truth = "5"'
damaged 'del(.samples[0].value)'
damaged '.sizes = [.sizes[0], .sizes[0]]'
damaged '.seed = -1'
echo 'of others'
plan c.json --engine script:0.3.script 2>&1 | sed 's/xxh3:[0-9a-f]*/xxh3:K/g'
plan c.json --engine replay:calls.jsonl
plan c.json --engine script:0.02.script --set m=3 2>&1
cat >other.yaml <<'END'
params: {m: 5}
nodes:
- {id: pieces, op: split, in: [input.text], params: {by: chars, size: "{{ m }}"}}
- {id: counts, op: map, in: [pieces], do: {op: llm, template: "{{ item }}=", parse: last_integer}}
- {id: answer, op: sum, in: [counts]}
answer: answer
END
plan c.json --engine script:0.02.script --graph other.yaml
lm-flow check count --calibration c.json --engine script:0.02.script --graph other.yaml "${time[@]}" --length 40 --check-sizes 15 --workers 1 --draws 50 >table; head -c 1 table
lm-flow gen count -n 1 --length 30 -z none | lm-flow run count --calibration c.json --engine script:0.3.script -z none 2>&1 >out | sed 's/xxh3:[0-9a-f]*/xxh3:K/g'
jq -c '.flow.cost.latency_s > 0' out
