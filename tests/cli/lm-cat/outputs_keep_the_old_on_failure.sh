printf 'old\n' >out; printf '{"a":\n' >bad
lm-cat bad -o out; echo "$?"; cat out; ls -A
