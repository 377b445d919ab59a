# A dead process's temporary of the same target goes; another target's and a living one's stay.
printf '{"a":1}\n' >in; mkfifo p
lm-cat p -o out & pid=$!; exec 3>p
until ls -A | grep -q '^\.out\.lm-'; do sleep 0.05; done
kill -9 $pid; wait $pid 2>/dev/null; exec 3>&-
stale=$(ls -A | grep '^\.out\.lm-'); echo "$stale" | wc -l
cp "$stale" ".other${stale#.out}"; cp "$stale" "${stale/lm-$pid/lm-$$}"
lm-cat in -o out
ls -A | grep '\.lm-' | sed "s/$$/SELF/; s/$pid/DEAD/; s/-[0-9a-f]*$//"
