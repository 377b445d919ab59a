# The reader of standard output goes away before a further output is complete: it is not written, and the run fails.
awk 'BEGIN { x = "."; while (length(x) < 100000) x = x x; for (i = 0; i < 24; i++) printf "{\"n\":%d,\"text\":\"one two three %d\",\"far\":\"%s\"}\n", i, i, x }' > in.jsonl
closed() { lm-dedup "$@" -z none in.jsonl | head -n 1 | cut -c -7; echo "${PIPESTATUS[0]}"; }
closed document
closed document --bloom-n 100 --bloom-out seen.bloom
closed minhash --table table.jsonl
ls -A
