# The quick check reads frame headers only; the full one notices a changed byte in the content.
seq -f '{"n":%g}' 1000 | lm-cat -z stored >a.zst
printf x | dd of=a.zst bs=1 seek=$(($(stat -c %s a.zst) / 2)) conv=notrunc 2>/dev/null
lm-cat --check a.zst | sed 's/, digest.*//'
lm-cat --check=full a.zst >out; echo "$?"; grep -c 'not complete' out
