seq -f '{"n":%g}' 1000 | tee a | lm-cat -o a.zst
lm-cat --check a.zst; echo "$?"
lm-cat --check=full a.zst; echo "$?"
cat a.zst a.zst | lm-cat --check; echo "$?"
lm-cat --check a a.zst; echo "$?"
lm-cat --check=full a; echo "$?"
zstd -q a -o foreign.zst; lm-cat --check foreign.zst; echo "$?"
lm-cat --check=half a.zst; echo "$?"
lm-cat --check missing; echo "$?"
