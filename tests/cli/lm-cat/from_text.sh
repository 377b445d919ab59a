printf 'one\ntwo\r\n\n \nthree\n' > a.txt; printf 'four' > b.txt
for unit in file line paragraph; do lm-cat --from text --unit $unit --source books -z none a.txt b.txt; done
gzip -n a.txt; lm-cat --from text --unit paragraph -z none - < a.txt.gz
printf 'a\nb \xe9\n' | lm-cat --from text --unit line -z none; echo "$?"
# A document that is too long is a bad record like any other.
{ echo short; seq 2000; } > long.txt; tr '\n' ' ' < long.txt > one.txt; cat b.txt >> one.txt
lm-cat --from text --max-record 5K one.txt -o out; echo "$?"
lm-cat --from text --unit line --on-error skip --max-record 40 -z none <(printf 'x\n%064d\ny\n' 1) | jq -r .text
lm-cat --from text --report r.json one.txt /dev/null -z none > all; jq -c .metrics.ingest r.json
