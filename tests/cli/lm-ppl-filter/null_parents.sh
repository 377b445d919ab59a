# null where an object should stand is as nothing there; null in a grouping field is no group.
s() { lm-ppl-filter "$@" -z none; echo "status $?"; }
echo '{"text":"a","attributes":null}' | s score --zlib | grep -c '"attributes":{"lm_ppl__zlib__ratio":'
printf "%s\n" '{"attributes":{"q":1},"metadata":null,"g":null}' '{"attributes":{"q":1},"metadata":{"lm_ppl":null,"n":1}}' '{"attributes":null,"g":"x"}' | s bucket --from-attr q --group g --cutoffs-out cut.csv; head -1 cut.csv
echo '{"attributes":{"q":1},"metadata":{"lm_ppl":"x"}}' | s bucket --from-attr q --buckets a:50,b:100
