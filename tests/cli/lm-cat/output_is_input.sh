printf '{"a":1}\n' >a; ln a b; ln -s a c
for o in a b c ./a; do lm-cat a -o $o; echo "$?"; done
lm-cat -o a <a; echo "$?"
lm-cat --on-error quarantine --rejects a a -o out; echo "$?"
lm-cat --report a a -o out; echo "$?"
cat a; ls -A
