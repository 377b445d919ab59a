printf 'id\ttext\na\t"b\nc\td\\te\n' > t.tsv
lm-cat --from tsv -z none t.tsv; lm-cat --from tsv --quoting backslash -z none t.tsv
printf 'id\ttext\na\t"b\tc"\n' | lm-cat --from tsv --quoting quotes -z none
printf '1\t\\N\tx\\\\y\n2\tz\t\\N\n' | lm-cat --from tsv --quoting backslash --columns id,text,more -z none
