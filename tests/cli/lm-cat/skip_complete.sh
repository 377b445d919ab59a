printf '{"a":1}\n' >in; touch -d '1 hour ago' in
run() { lm-cat --skip-complete "$@" in -o out.zst && stat -c %i out.zst; }
first=$(run)
[ "$(run)" = "$first" ] && echo 'same parameters: skipped'
[ "$(run --threads 2)" = "$first" ] && echo 'threads do not matter: skipped'
second=$(run --head 1); [ "$second" != "$first" ] && echo 'other parameters: done again'
touch -d '1 hour' in; [ "$(run --head 1)" != "$second" ] && echo 'newer input: done again'
head -c 20 out.zst >cut; mv cut out.zst; touch -d '1 hour ago' in
run >/dev/null; lm-cat --check out.zst | cut -d, -f1
