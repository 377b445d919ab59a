seq -f '{"n":%g,"text":"some text to fill four mebibyte frames"}' 300000 >in.jsonl
lm-cat --seekable in.jsonl -o in.zst
for i in 0 1 2; do lm-cat --shard $i/3 in.zst -o s$i.zst; lm-cat --shard $i/3 in.jsonl -o p$i.zst; done
lm-cat --compare in.jsonl <(lm-cat s?.zst) && echo 'framed shards cover the input once'
lm-cat --compare in.jsonl <(lm-cat p?.zst) && echo 'plain shards cover the input once'
lm-cat --shard 1/2 --shard-by file -z none <(echo '{"a":0}') <(echo '{"a":1}') <(echo '{"a":2}') <(echo '{"a":3}')
