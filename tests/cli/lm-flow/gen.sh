# Instances are functions of problem, length, seed and number.
gen() { lm-flow gen "$@" -z none; echo "status $?"; }
gen count -n 2 --length 12,20 --seed 1
gen sort -n 1 --length 5
lm-flow gen needle -n 30 --length 900 -z none >needle.jsonl
jq -sc 'map(.text | length) | unique' needle.jsonl
echo 'the answer stands in the text, without the target nothing does'
jq -c '. as $r | [(.text | contains("to the \($r.question) is \($r.answer).")), (.text | [match("to the \($r.question) "; "g")] | length)]' needle.jsonl | sort | uniq -c | tr -s ' '
lm-flow gen needle -n 30 --length 900 --no-target -z none | jq -c '. as $r | [.answer, (.text | contains("to the \($r.question) "))]' | sort | uniq -c | tr -s ' '
lm-flow gen multineedle -n 5 --length 2000 -z none | jq -c '. as $r | [.text | scan("digit of the passcode to the \($r.question) is")] | length' | sort | uniq -c | tr -s ' '
echo 'two halves'
lm-flow gen count -n 6 --seed 3 -z none | jq -r .id >all
lm-flow gen count -n 3 --seed 3 --half calibrate -z none | jq -r .id >even
lm-flow gen count -n 3 --seed 3 --half check -z none | jq -r .id >odd
sort all | cmp - <(sort even odd) && paste -sd ' ' even odd
lm-flow gen count -n 4 --seed 3 -o a.jsonl.zst && lm-cat --check=full a.jsonl.zst && lm-cat --header a.jsonl.zst | jq -c '[.tool, .params.problem, .seed]'
echo 'not meant'
gen counts
gen
gen count --no-target
gen needle --length 30
gen count --length 0
gen count --length 5,x
gen count other.jsonl
