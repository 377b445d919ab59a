lm-cat --print-config --head 7 --compress zstd:9 --seekable --no-sync --on-error skip --tmp-dir 'a b"c' -vv --memory 1G >one.toml
lm-cat --print-config --config one.toml >two.toml
# The same settings; only the origins differ.
diff <(sed 's/  #.*//' one.toml) <(sed 's/  #.*//' two.toml) && grep -c '# config' two.toml
# And the same header, whatever the file repeats of the defaults.
printf 'text,n\none,1\n' > a.csv
lm-cat --from csv --types guess a.csv -o a.zst; lm-cat --from csv --types guess --print-config > three.toml; lm-cat --config three.toml a.csv -o b.zst
lm-cat --header a.zst b.zst | uniq -c | jq -R '.[8:] | fromjson | .params' -c
