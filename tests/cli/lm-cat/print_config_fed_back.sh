lm-cat --print-config --head 7 --compress zstd:9 --seekable --no-sync --on-error skip --tmp-dir 'a b"c' -vv --memory 1G >one.toml
lm-cat --print-config --config one.toml >two.toml
# The same settings; only the origins differ.
diff <(sed 's/  #.*//' one.toml) <(sed 's/  #.*//' two.toml) && grep -c '# config' two.toml
