# A value is a value, whatever it looks like; it does not switch anything.
printf '{"a":1}\n' | lm-cat --output --seekable
ls -A
lm-cat --print-config --output --no-sync | grep -E '^(output|sync|seekable) '
lm-cat --print-config --tmp-dir=-x -o -- --seekable | grep -E '^(output|tmp-dir|seekable) '
