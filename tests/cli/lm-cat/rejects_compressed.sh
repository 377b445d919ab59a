printf '{"a":1}\n{bad}\n' >in
lm-cat -q --on-error quarantine --rejects bad.jsonl.zst in -z none
lm-cat --check bad.jsonl.zst | cut -d, -f1,2; zstd -qdc bad.jsonl.zst | jq -c .raw
lm-cat -q --on-error quarantine --rejects >(wc -l >count; : >done) in -z none
until [ -e done ]; do sleep 0.05; done; cat count
lm-cat --on-error skip --rejects bad in; echo "$?"
