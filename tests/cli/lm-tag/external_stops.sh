# A stop signal ends the programs that lm-tag runs, with all that they have started, before lm-tag ends;
# so does the end of a run that fails.
printf '{"id":%d,"text":"abc def"}\n' 1 2 3 > in.jsonl
gone() { # no process of the group is left, but for those that nobody has waited for
  while awk -v group="$(cat group)" '$5 == group && $3 != "Z"' /proc/[0-9]*/stat 2>/dev/null | grep -q .; do sleep 0.05; done
  rm group; ls -A | grep out.jsonl
}
stop() { # COMMAND
  lm-tag -q -t 1 --define "k=external:a:echo \$\$ > new; mv new group; $1" in.jsonl -o out.jsonl & pid=$!
  until [ -s group ] || ! kill -0 $pid; do sleep 0.02; done
  kill -TERM $pid; wait $pid; echo "status $?"
  gone
}
stop 'sleep 600 | cat'
stop 'sleep 600 & wait'
stop 'trap "" TERM; while :; do sleep 0.1; done'
lm-tag -q -t 1 --define 'k=external:a:echo $$ > group; sleep 600 & exit 3' in.jsonl -o out.jsonl; echo "status $?"
gone
true
