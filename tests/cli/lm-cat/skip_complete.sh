printf '{"a":1}\n' >in; touch -d '1 hour ago' in
run() { lm-cat --skip-complete "$@" in -o out.zst && stat -c %i out.zst; }
first=$(run)
[ "$(run)" = "$first" ] && echo 'same parameters: skipped'
[ "$(run --threads 2)" = "$first" ] && echo 'threads do not matter: skipped'
second=$(run --head 1); [ "$second" != "$first" ] && echo 'other parameters: done again'
touch -d '1 hour' in; [ "$(run --head 1)" != "$second" ] && echo 'newer input: done again'
head -c 20 out.zst >cut; mv cut out.zst; touch -d '1 hour ago' in
run >/dev/null; lm-cat --check out.zst | cut -d, -f1
# A header in front does not make a stream complete.
for form in '' --seekable; do
  lm-cat $form in -o frames.zst; size=$(stat -c %s frames.zst)
  lm-cat -v $form --skip-complete in -o frames.zst 2>&1 | grep 'complete already'
  head -c $((size - 1)) frames.zst >cut; mv cut frames.zst
  lm-cat $form --skip-complete in -o frames.zst; [ "$(stat -c %s frames.zst)" = "$size" ] && echo 'cut: done again'
done
