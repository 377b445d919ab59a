# Frames that were whole go out before the error; the end frame does not.
seq -f '{"n":%.0f}' 400000 >in; lm-cat in | head -c 5000000 >cut
lm-cat -z none cut >out 2>err; echo "$?"; cat err
[ "$(wc -l <out)" -gt 100000 ] && cmp -n "$(stat -c %s out)" in out && echo 'a part from the beginning'
lm-cat cut 2>/dev/null | lm-cat --check | cut -d, -f1
lm-cat cut -o file 2>/dev/null; [ -e file ] || echo "no file"
