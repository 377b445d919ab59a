try() { # FORMAT TEXT
  printf "$2" > t.$1; lm-cat --from $1 t.$1 -o out; echo "$?"
}
try csv 'id,text\na,"b\nc'; try csv 'id,text\na,"b"c\n'; try csv 'id,text\n"a\nb",c\nd\n'
try csv 'id,text\na,caf\xe9\n'; try csv 'id,body\na,b\n'; try csv 'id,text,id\na,b,c\n'
try tsv 'id\ttext\na\n'; printf 'text\na\\' | lm-cat --from tsv --quoting backslash -o out; echo "$?"
lm-cat --from csv --id-column key t.csv -o out; echo "$?"
lm-cat --from csv --columns id,text,more t.tsv -o out; echo "$?"
printf 'text\n"%s\n' "$(seq 5000)" | lm-cat --from csv --max-record 10K -o out; echo "$?"
printf 'id,text\na,b\nc\n' | lm-cat --from csv -z none; echo "$?"
printf 'id,text\na,b\n' | gzip -n | head -c -4 | lm-cat --from csv -z none; echo "$?"
printf 'id,text\na,b\n' | xz | lm-cat --from csv -z none; echo "$?"
: | lm-cat --from csv -o out; echo "$?"
: | lm-cat --from csv --allow-empty -o empty; echo "$?"; : > zero.csv; lm-cat --from csv -z none zero.csv; echo "$?"
lm-cat --from csv missing.csv -o out; echo "$?"
test -e out || echo absent
