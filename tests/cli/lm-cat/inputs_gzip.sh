# gzip is text like any other: by first bytes, in files and pipes, in several members. It has no end frame.
seq 3 | sed 's/.*/{"n":&}/' > a.jsonl; gzip -nk a.jsonl; seq 4 5 | sed 's/.*/{"n":&}/' | gzip -n > b.gz
cat a.jsonl.gz b.gz > two.gz
lm-cat -z none two.gz; lm-cat -z none < a.jsonl.gz | cmp - a.jsonl && cat two.gz | lm-cat --head 1 -z none
lm-cat --report r.json -o out.jsonl two.gz; [ "$(jq .inputs[0].bytes_compressed r.json)" = "$(stat -c %s two.gz)" ] && jq -c '.inputs[0] | [.records, .bytes]' r.json
lm-cat --compare <(lm-cat a.jsonl b.gz) two.gz; echo "compare $?"
lm-cat --check two.gz; echo "check $?"
lm-cat --check=full two.gz; echo "check $?"
lm-cat --expect-end -z none b.gz; echo "expect-end $?"
lm-cat --header b.gz
for i in 0 1 2; do lm-cat --shard $i/3 -z none two.gz a.jsonl | tr '\n' ' '; echo; done
# A byte-order mark and blank lines, as in plain text; also in zstd.
printf '\357\273\277{"bom":1}\r\n\n{}' | tee bom | gzip -n > bom.gz; zstd -q bom
for f in bom bom.gz bom.zst; do lm-cat -z none $f; done
# Cut, continued, and cut between lines: what is whole comes first.
head -c -1 two.gz | lm-cat -z none; echo "cut $?"
{ cat b.gz; echo rest; } > rest.gz; lm-cat -z none rest.gz; echo "rest $?"
head -c 5 two.gz > head.gz; lm-cat -z none head.gz; echo "head $?"
head -c -1 two.gz > cut.gz; lm-cat --check=full cut.gz; echo "check $?"
lm-cat -o out2.jsonl cut.gz; echo "cut $?"; test -e out2.jsonl || echo absent
