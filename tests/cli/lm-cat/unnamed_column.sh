# The empty name is that of a column without one, as of a table that pandas wrote.
printf ',text\n7,one\n8,two\n' > t.csv
lm-cat --from csv -z none t.csv
lm-cat --from csv --id-column '' -z none t.csv
lm-cat --from csv --id-column text --text-column '' -z none t.csv
printf 'id,text\n7,one\n' | lm-cat --from csv --id-column '' -z none; echo "$?"
lm-cat --from csv --metadata-columns '' t.csv; echo "$?"
