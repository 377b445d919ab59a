s() { lm-mix "$@" /dev/null; echo "status $?"; }
s --where 'score("x" > 1'
s --where 'a=b = 1'
s --where x=
s --drop 'source matches "("'
s --where 'a=n > 1' --drop 'a=n < 1'
s --where 'score("x") > "many"'
s --sample 'n > 1'
s --weights 'a=1' --sample 2
s --weights heat:2
s --count 'has("x")'
s --unique-ids
s --cut 'x>5'
s --cut 'x>=nan'
s --cut 'x<nan:y'
s --cut 'x>=1<-nan'
s --bad-spans clip
s --discard metadata --provenance
s --cut x --discard text
s --discard a..b
s --report-only -z zstd
# What is wrong whatever the records are is told before anything is written.
for o in '--sample -1' '--sample 101' '--field=' '--field a..b' '--top 1 --by 1 --group='; do
  # shellcheck disable=SC2086
  echo '{"id":1,"text":"a"}' | lm-mix $o > out; echo "$? $(wc -c < out)"; done
