# stopped while it evaluates: nothing is left
"$(dirname "$(command -v lm-eval)")"/helpers/make-tiny-model m
seq 20000 | sed 's/.*/{"q":"a rather long line of text, number &"}/' > d.jsonl
printf '%s\n' 'task: text' 'dataset: d.jsonl' 'output_type: loglikelihood_rolling' 'doc_to_target: q' > text.yaml
lm-eval -m m -o out text.yaml & pid=$!
until ls -d .out.lm-* > /dev/null 2>&1; do sleep 0.01; done
kill -TERM $pid; wait $pid; echo "status $?"
ls -A
lm-eval -m m --limit 5 text.yaml > /dev/full; echo "status $?"
lm-eval -m m --limit 5 --memory 100K text.yaml 2>&1 | sed 's/[0-9.]* [KM]*i*B/N/g'; echo "status ${PIPESTATUS[0]}"
