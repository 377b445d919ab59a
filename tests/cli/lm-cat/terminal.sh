# On a terminal: the short help when nothing is to be read, one line about a success.
on_terminal() { TERM=dumb script -qec "$1" /dev/null </dev/null | tr -d '\r' | sed 's/\x1b\[K//g'; }
seq -f '{"n":%.0f}' 10 >in
for command in lm-cat 'lm-cat -z none' 'lm-cat --check' 'lm-cat -o out --report r.json'; do
  on_terminal "$command; echo \"exit \$?\"" | sed -n '1p;$p'
done
jq -c '[.status, .exit]' r.json
on_terminal 'lm-cat in -o out' | grep -o 'lm-cat: 10 records in, 10 out.*' | sed 's/in [0-9.]* s/in N s/'
on_terminal 'lm-cat -q in -o out'; on_terminal 'lm-cat --progress never in -o out'
