# Questions without scores or without an answer to judge by end the run, or are counted.
echo '{"samples":["a"]}' > raw.jsonl
printf '%s\n' '{"id":"a","uq":{"scores":{"mine":0.5}},"correct":1}' '{"id":"b","uq":{"scores":{"mine":0.1}}}' > half.jsonl
for f in raw half; do lm-uq eval $f.jsonl; echo "status $?"; done
lm-uq eval --on-error skip --boot 0 --metrics auroc half.jsonl; echo "status $?"
lm-uq eval --on-error annotate half.jsonl; echo "status $?"
