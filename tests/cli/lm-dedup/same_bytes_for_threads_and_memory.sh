awk 'BEGIN { for (i = 0; i < 3000; ++i) { printf "{\"id\":%d,\"text\":\"", i;
  for (w = 0; w < 40; ++w) { k = int((i * i + 7) % 911 / 3) * 40 + w + (i % 5 == 0 && w == 9 ? i : 0);
    printf "%c%c%c%s", 97 + k % 26, 97 + int(k / 26) % 26, 97 + int(k / 676) % 26, w % 8 == 7 ? "\\n" : " " } print "\"}" } }' > in.jsonl
for verb in document paragraph 'paragraph --across-only' 'paragraph --bloom-n 100 --bloom-p 0.1 -q' minhash 'minhash --verify sketch' 'minhash --cluster leader'; do
  for run in '-t 1' '-t 2' '-t 7' '-t 2 --memory 100K' '-t 7 --memory 1M'; do
    case "$verb $run" in minhash*100K) continue ;; esac
    lm-dedup $verb $run -z none in.jsonl | cksum
    lm-dedup $verb $run < in.jsonl | zstd -dc | cksum
  done | sort -u | wc -l
done
