awk 'BEGIN { for (i = 0; i < 9000; ++i) { printf "{\"id\":%d,\"text\":\"", i;
  for (w = 0; w < 60; ++w) { k = (i * i + w * w) % 37;
    printf "%s%s", k % 9 == 0 ? "\\u00e9" : "w" k, w % 11 == 10 ? (k % 3 ? ".\\n" : "\\n") : " " } print "\",\"metadata\":{\"ext\":\"c\",\"html\":\"<a href=http://creativecommons.org/licenses/by/4.0/ id=\x27\x27>\"}}" } }' > in.jsonl
# All taggers but those that need a file.
names=$(lm-tag --list | awk '/^[^ ]/ { if (n != "") print n; n = $0 } /^  needs: --model/ { n = "" } END { if (n != "") print n }' | paste -sd,)
for t in 1 2 7; do
  lm-tag -T "$names" -q -t $t -z none in.jsonl | cksum
  lm-tag -T "$names" -q -t $t < in.jsonl | zstd -dc | cksum
done | sort -u | wc -l
for t in 1 2 7; do lm-tag -T "$names" -q -t $t --explain=5000 in.jsonl | cksum; done | sort -u | wc -l
