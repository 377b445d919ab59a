seq -f '{"n":%g,"text":"enough to fill any pipe"}' 200000 >in.jsonl
lm-cat in.jsonl -z none --report r.json | head -n 1; echo "${PIPESTATUS[@]}"
jq -c '[.status, .exit]' r.json
