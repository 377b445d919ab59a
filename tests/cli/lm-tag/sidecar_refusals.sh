mkdir -p a b documents
echo '{"id":1,"text":"x"}' | tee a/x.jsonl > b/x.jsonl
gzip -c a/x.jsonl > x.jsonl.gz
t() { lm-tag -T c4_v1 -q --sidecar out "$@"; echo "status $?"; }
t < a/x.jsonl
t a/x.jsonl b/x.jsonl
t x.jsonl.gz
t a/x.jsonl --on-error skip
t a/x.jsonl --shard 0/2
t a/x.jsonl --shard 0/2 --shard-by file
t a/x.jsonl -o y.jsonl
t a/x.jsonl -z
t a/x.jsonl --attr-merge error
t documents/../a/x.jsonl
lm-tag -T c4_v1 -q --sidecar a a/x.jsonl; echo "status $?"
echo 'bad records leave nothing'
rm -rf out; printf '%s\n' '{"id":1,"text":"x"}' '{"text":"x"}' > bad.jsonl
t bad.jsonl; [ -e out ] || echo absent
echo '{"id":1,"text":7}' > bad.jsonl
t a/x.jsonl bad.jsonl; [ -e out ] || echo absent; mkdir -p out/other; t a/x.jsonl bad.jsonl; find out
