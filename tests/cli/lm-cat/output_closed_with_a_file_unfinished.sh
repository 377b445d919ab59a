# The reader of stdout goes away while --rejects is not complete: that is a failure.
{ seq -f '{"n":%.0f,"text":"enough to fill any pipe"}' 200000; echo '{'; } >in.jsonl
lm-cat in.jsonl -z none --on-error quarantine --rejects bad | head -n 1; echo "${PIPESTATUS[@]}"
ls -A
