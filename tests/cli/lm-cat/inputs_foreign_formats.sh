printf '{}\n' | xz -c >a.xz; printf 'BZh91AY&SY' >a.bz2; printf 'PAR1xxxx' >a.parquet; printf 'hello\n' >a.txt; printf '\0\0\0\0\0\0\0\0' >a.bin
for f in a.xz a.bz2 a.parquet a.txt a.bin; do lm-cat $f -o out; echo "$?"; done
