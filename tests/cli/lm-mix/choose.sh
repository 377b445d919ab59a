# A reservoir, the best of each group, a window, and parts of a size.
for i in $(seq 1 1000); do echo "{\"id\":$i,\"text\":\"text $i\",\"source\":\"s$((i % 3))\",\"q\":$((i * 7919 % 1000))}"; done > in.jsonl
shuf --random-source=in.jsonl in.jsonl > other.jsonl
c() { lm-mix -q -z none "$@"; }
c --reservoir 10 in.jsonl > a; wc -l < a; c --reservoir 10 -t 7 other.jsonl | sort | cmp - <(sort a)
c --reservoir 20 in.jsonl | grep -cFf a
c --reservoir 10 --seed 1 in.jsonl | cmp -s - a; echo "status $?"
jq .id a | sort -nc && echo "in the order of the stream"
c --reservoir 2 --group source in.jsonl | jq -c .source | sort | uniq -c
c --reservoir 5000 in.jsonl | cmp - in.jsonl
c --top 3 --by q in.jsonl | jq -c .q
c --top 2 --by '-q' --group source in.jsonl | jq -c '[.source, .q]'
c --top 1 --by q --group missing in.jsonl | jq -c .q
c --reservoir 10 --shuffle in.jsonl | sort | cmp - <(sort a)
lm-mix -q -z none --reservoir 10 --where 'q < 500' --report r.json in.jsonl -o out.jsonl; jq -c '.metrics | [.removed, .unsampled, .kept, .groups]' r.json
lm-mix --report-only --reservoir 10 in.jsonl
lm-mix --top 3 --by text in.jsonl; echo "status $?"
lm-mix --top 3 in.jsonl; echo "status $?"
lm-mix --reservoir 3 --sample 0.5 in.jsonl; echo "status $?"
c --shuffle-buffer 50 in.jsonl > w; sort w | cmp - <(sort in.jsonl); cmp -s w in.jsonl; echo "status $?"
for t in 1 7; do c -t $t --shuffle-buffer 50 in.jsonl | cmp - w; done
c --shuffle-buffer 1 in.jsonl | cmp - in.jsonl
# Parts: full, in order, none too large; nothing that is there is written over.
lm-mix -q --max-size 10K -o 'p/x-%02d.jsonl.zst' in.jsonl; ls p; zstd -dcq p/*.zst | cmp - in.jsonl
for f in p/*; do zstd -dcq "$f" | wc -c; done | sort -n | tail -1
lm-mix -q --max-size 10 -o 'one-%d.jsonl' <(head -3 in.jsonl); cat one-0.jsonl one-1.jsonl one-2.jsonl
lm-mix --max-size 20K -o 'p/x-%02d.jsonl.zst' in.jsonl; echo "status $?"
lm-mix --max-size 20K -o p/x.jsonl.zst in.jsonl; echo "status $?"
lm-mix --max-size 20K in.jsonl; echo "status $?"
