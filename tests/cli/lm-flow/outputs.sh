# Outputs that are not there are noticed before any call is made, by every verb alike.
cat >count.script <<'END'
{"when":{"meta.role":"counts"},"fn":"count_digits","input":{"meta":"item"},"noise":{"kind":"binomial_miss","rate":0.05}}
END
time=(--call-time 1,0,0,0,0)
lm-flow gen count -n 2 --length 30 -o in.jsonl
lm-flow calibrate count --engine script:count.script "${time[@]}" --sizes 10,20 --trials 5 -o c.json
each() {
  "$@" run count in.jsonl --engine script:count.script --record r.jsonl
  "$@" gen count
  "$@" calibrate count --engine script:count.script "${time[@]}" --sizes 10 --record r.jsonl
  "$@" plan count --engine script:count.script --calibration c.json
  "$@" check count --engine script:count.script "${time[@]}" --sizes 10 --record r.jsonl
}
closed() { lm-flow "$@" >&-; echo "closed: $?"; }
reading() { lm-flow "$@" 1</dev/null; echo "for reading: $?"; }
each closed
each reading
test ! -e r.jsonl && echo 'nothing was recorded'
closed gen count -n 1 -o here.jsonl && test -s here.jsonl && echo 'not needed'
echo 'a plot'
lm-flow check count --engine script:count.script "${time[@]}" --sizes 10,20,40 --length 60,90 --check-sizes 15,30 --trials 40 --workers 1,4 --plot errors.svg >table; echo "status $?"
head -c 40 errors.svg; echo
grep -o '>60 in pieces of 15<\|>90 in pieces of 30<\|>the same, run<\|>predicted, 95 %<' errors.svg | sort | uniq -c | tr -s ' '
lm-flow check count --engine script:count.script "${time[@]}" --sizes 10,20 --length 30 --check-sizes 15 --plot missing/e.svg
echo "status $?"
