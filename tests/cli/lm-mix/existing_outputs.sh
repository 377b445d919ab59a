# D-31: what is there already is made again unless it is complete and made by the same options.
printf '%s\n' '{"id":1,"n":1}' '{"id":2,"n":2}' > in.jsonl
lm-mix -q --where 'n > 0' in.jsonl -o out.jsonl.zst; zstd -dcq out.jsonl.zst | wc -l
lm-mix -v --where "n > 0" --skip-complete in.jsonl -o out.jsonl.zst 2>&1 | grep complete
lm-mix -q --where 'n > 1' --skip-complete in.jsonl -o out.jsonl.zst; zstd -dcq out.jsonl.zst | wc -l
lm-cat --header out.jsonl.zst | jq -c '.params | [.where, .sample]'
lm-mix --where 'n > 0' in.jsonl -o in.jsonl; echo "status $?"
