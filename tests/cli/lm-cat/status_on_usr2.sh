mkfifo p; lm-cat p -z none -o out 2>err & pid=$!; exec 3>p
until ls -A | grep -q '^\.out'; do sleep 0.05; done
kill -USR2 $pid; until [ -s err ]; do sleep 0.05; done
echo '{"a":1}' >&3; exec 3>&-; wait $pid; echo "$?"; cat out; sed 's/[0-9.]\+ B/N B/g' err
