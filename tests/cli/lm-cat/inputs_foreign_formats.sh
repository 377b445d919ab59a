printf '{}\n' | xz -c >a.xz; printf 'BZh91AY&SY' >a.bz2; printf 'PAR1xxxx' >a.parquet; printf 'hello\n' >a.txt; printf '\0\0\0\0\0\0\0\0' >a.bin
for f in a.xz a.bz2 a.parquet a.txt a.bin; do lm-cat $f -o out; echo "$?"; done
# Names that a shell or a terminal would take for something else.
for name in 'a b' "it's" 'back\slash' -z $'new\nline\\x'; do
  printf 'BZh9' > "./$name"; lm-cat -- "./$name"; lm-cat -- "$name"
done
