# The same bytes for any number of threads, with everything at once over several batches.
for i in $(seq 1 40000); do echo "{\"id\":$i,\"text\":\"some \\u00e9 text of document number $i and more of the same so that batches fill\",\"source\":\"s$((i % 5))\",\"attributes\":{\"x\":[[$((i % 5)),$((i % 5 + i % 4)),0.$((i % 10))]],\"y\":[[2,$((2 + i % 9)),1]]}}"; done > in.jsonl
s() { lm-mix "$@" --where 'score("x") < 0.8' --drop 'id % 7 == 3' --cut 'x>=0.3:[{}]' --cut y --sample 1.4 --provenance -q --report r.json -z none in.jsonl; jq -c '.metrics | del(.spool_bytes)' r.json; }
s -t 1 > want; for threads in 2 7; do s -t $threads | cmp - want; done; tail -1 want; wc -l < want
# Cleaners too, with what they measure.
sed -e 's/fill"/fill. Mail a@b.co or c@d.org, \\u00c3\\u00a9 it is.\\nMenu\\n"/' -e '/number [0-9]*3 /s/some/{ some/' in.jsonl > texts.jsonl
c() { lm-mix "$@" --clean mojibake --clean pii --clean line-len --clean c4:sentences=1 --clean word-removal:share=0.5 -q --report r.json -z none texts.jsonl; jq -c '.metrics' r.json; }
c -t 1 > want; for threads in 2 7; do c -t $threads | cmp - want; done; head -n 1 want; wc -l < want
c -t 1 --as-attributes > want; for threads in 2 7; do c -t $threads --as-attributes | cmp - want; done; wc -l < want
