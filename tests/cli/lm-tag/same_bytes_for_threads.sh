awk 'BEGIN { for (i = 0; i < 9000; ++i) { printf "{\"id\":%d,\"text\":\"", i;
  for (w = 0; w < 60; ++w) { k = (i * i + w * w) % 37;
    printf "%s%s", k % 9 == 0 ? "\\u00e9" : "w" k, w % 11 == 10 ? (k % 3 ? ".\\n" : "\\n") : " " } print "\"}" } }' > in.jsonl
names=$(lm-tag --list | awk '/^[^ ]/ {if (n) print n; n = $1} /needs: --model/ {n = ""} END {if (n) print n}' | paste -sd,)
for t in 1 2 7; do
  lm-tag -T "$names" -q -t $t -z none in.jsonl | cksum
  lm-tag -T "$names" -q -t $t < in.jsonl | zstd -dc | cksum
done | sort -u | wc -l
for t in 1 2 7; do lm-tag -T "$names" -q -t $t --explain=5000 in.jsonl | cksum; done | sort -u | wc -l
