s() { lm-mix "$@" -z none; echo "status $?"; }
echo '{"id":1,"text":"a","n":"x"}' | s --where 'n > 1'
echo '{"id":1,"attributes":5}' | s --where 'has("x")'
echo '{"id":1,"text":"a","attributes":{"x":[[0,1]]}}' | s --where 'score("x") > 1'
echo '{"id":1,"text":"a","attributes":{"x":[[0,2,1]]}}' | s --cut x
echo '{"id":1,"text":"a","attributes":{"x":"0-2"}}' | s --cut x
echo '{"id":1,"text":7,"attributes":{"x":[[0,1,1]]}}' | s --cut x
echo '{"id":1,"text":"\ud800","attributes":{"x":[[0,1,1]]}}' | s --cut x
echo '{"text":"a"}' | s --sample 0.5
echo '{"id":[1],"text":"a"}' | s --sample 0.5
echo '{"id":1,"source":{},"text":"a"}' | s --sample 0.5
echo '{"id":1,"n":-1}' | s --sample n
echo '{"id":1,"n":1e9}' | s --sample n
echo '{"id":1}' | s --sample n
echo '{"id":1,"metadata":3}' | s --provenance
echo '{"id":1,"metadata":{"lm_mix":"x"}}' | s --sample 2
echo '{"id":1}' | s --budget 10
echo '{"id":1,"text":"a","n":-2}' | s --budget 10 --count n
echo '{"id":1,"text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"}' | s --where 'text matches "(a+)+$"'
printf '%s\n' '{"id":1,"n":1}' '{"id":2,"n":"x"}' '{"id":3,"n":1}' | s --where 'n == 1' --on-error quarantine --rejects r.jsonl; cat r.jsonl
