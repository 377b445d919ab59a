# Not a terminal: nothing by default, whole lines when asked for.
mkfifo p; lm-cat --progress 0.05 p -z none -o out 2>err & exec 3>p; echo '{"a":1}' >&3
until grep -q records err 2>/dev/null; do sleep 0.05; done; exec 3>&-; wait
grep -c $'\r\|\033' err
lm-cat out -z none
lm-cat --progress 0.05 --log-format json p -z none -o out 2>err & exec 3>p; echo '{"a":1}' >&3
until grep -q records err 2>/dev/null; do sleep 0.05; done; exec 3>&-; wait
jq -r .level err | uniq
# Part of the input, whose size is known, is read: how long the rest may take.
seq -f '{"n":%.0f}' 1000000 >big; mkfifo q
lm-cat --progress 0.01 big -o q 2>err & exec 3<q
until grep -q 'records.*%.* left' err; do sleep 0.05; done; echo 'time left'; exec 3<&-; wait
