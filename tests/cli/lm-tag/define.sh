printf '%s\n' '{"id":1,"text":"call 555 or 556\nnow"}' '{"id":2,"text":"nothing"}' > in.jsonl
t() { lm-tag -q -z none --no-declare "$@" in.jsonl; echo "status $?"; }
a() { lm-tag -q -z none --no-declare "$@" in.jsonl | jq -c .attributes; }
echo 'matches counted and found'
a --define 'n=regex:[0-9]+' --define 'm@match=regex:[0-9]+'
a --define 'n@line=regex:[0-9]+' --define 'w@line=regex:(?i)NOW$'
echo 'a pattern without end makes a bad record'
echo '{"id":"hard","text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"}' > hard.jsonl
lm-tag -q -z none --define 'x=regex:(a|aa)+$' hard.jsonl; echo "status $?"
echo 'a program'
cat > upper.sh <<'S'
while read -r line; do
  n=$(printf %s "$line" | tr -cd 0-9 | wc -c)
  echo "{\"attributes\":{\"digits\":$n,\"first\":[[0,1,0.5]]}}"
done
S
a --define 'ext=external:digits,first:sh upper.sh'
for n in 1 2 7; do lm-tag -q -z none -t $n --define 'ext=external:digits:sh upper.sh' in.jsonl | cksum; done | uniq | wc -l
echo 'its faults end the run'
t --define 'ext=external:a:read x; exit 3'
t --define 'ext=external:a:while read x; do echo no; done'
t --define 'ext=external:a:sleep 60' --external-timeout 1
echo 'refused'
t --define 'x=regex:('
t --define 'x@line=external:a:cat'
t --define 'x@match=words:in.jsonl'
t -T tokenizer_repetitions_v1
