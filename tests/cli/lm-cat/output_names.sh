echo '{"a":1}' > in
for f in o.jsonl.gz o.xz o.bz2; do lm-cat in -o $f; echo "status $?"; lm-cat -z zstd in -o $f; echo "status $?"; done
lm-cat --on-error quarantine --rejects r.gz in; echo "status $?"
lm-cat --report r.json.gz in; echo "status $?"
lm-cat --split 2 -o 'p-%d-of-%d.gz' in; echo "status $?"
ls
lm-cat -z none in | gzip -n > o.jsonl.gz; lm-cat -z none o.jsonl.gz
