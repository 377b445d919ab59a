# Rows of a table become records: plain, gzip, zstd, stdin, with a mark and CRLF.
printf 'id,text,url,n\na,"one, ""two""",http://x/,1\n\nb,"line\nline",,true\n' > t.csv
lm-cat --from csv -z none t.csv
gzip -nk t.csv; zstd -q t.csv; sed 's/$/\r/; 1s/^/\xef\xbb\xbf/' t.csv > crlf.csv
for f in t.csv.gz t.csv.zst; do lm-cat --from csv $f -o out.zst && lm-cat --compare out.zst <(lm-cat --from csv t.csv) && echo "$f equal"; done
lm-cat --from csv --source web --types guess --metadata-columns n,url -z none crlf.csv
lm-cat --from csv --text-column url --id-column n --metadata-columns none -z none < t.csv
printf 'x;1,5\ny;2,5\n' | lm-cat --from csv --columns text,v --delimiter ';' -z none -
# Columns named as a record's fields are fields; a table without rows is an empty stream.
printf 'text,source,created\nx,s,2024-01-01\n' | lm-cat --from csv -z none; printf 'text\n' | lm-cat --from csv -o empty.zst && lm-cat --check=full empty.zst
# A row without an id, or with an empty one, has the file's name and the row's number for it.
printf 'id,text\n,one\nb,two\n"",three\n' > empty.csv; lm-cat --from csv -z none empty.csv; lm-cat --from csv --types guess -z none empty.csv | jq -c .id
# A conversion is part of where a stream comes from.
lm-cat --from csv --types guess t.csv | lm-cat --header | jq -c '.params, .chain'
