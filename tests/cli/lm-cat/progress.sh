# Not a terminal: nothing by default, whole lines when asked for.
mkfifo p; lm-cat --progress 0.05 p -z none -o out 2>err & exec 3>p; echo '{"a":1}' >&3
until grep -q records err 2>/dev/null; do :; done; exec 3>&-; wait
grep -c $'\r\|\033' err
lm-cat out -z none
