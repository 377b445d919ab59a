deep() { printf '{"a":'; head -c "$1" /dev/zero | tr '\0' '['; head -c "$1" /dev/zero | tr '\0' ']'; echo '}'; }
deep 1023 | lm-cat -z none | wc -c
deep 1024 | lm-cat -z none -o out; echo "status $?"
deep 100000 | lm-cat -z none -o out; echo "status $?"
