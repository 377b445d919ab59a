printf '{"a":1}\n{"a":\n' >in
lm-cat -v in -z none -t 1 2>&1 | sed 's/^\(lm-cat: threads: 1 of \)[0-9].*/\1.../'
zstd -qc in | lm-cat -v -t 1 -z none --on-error skip 2>&1 | grep byte
lm-cat -vv in -t 1 -z none 2>&1 | sed -n 's/.*\[\(.*\):[0-9]*\]$/\1/p'
lm-cat -vvv --head 1 in -t 1 -z none 2>&1 | grep batch
lm-cat -vv --log-format json in -t 1 -z none 2>&1 | jq -r 'select(.source) | .level'
:
