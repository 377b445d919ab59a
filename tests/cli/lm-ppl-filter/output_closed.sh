# The reader of standard output goes away before the cutoffs are complete: they are not written, and the run fails.
awk 'BEGIN { x = "."; while (length(x) < 100000) x = x x; for (i = 0; i < 24; i++) printf "{\"n\":%d,\"attributes\":{\"q\":%d},\"far\":\"%s\"}\n", i, i, x }' > in.jsonl
lm-ppl-filter bucket --from-attr q --cutoffs-out cut.csv -z none in.jsonl | head -n 1 | cut -c -7; echo "${PIPESTATUS[0]}"
ls -A
