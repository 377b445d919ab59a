# Rows of so many tokens at most: documents are cut at line ends and drawn again.
lm-tokenize train -q -n 300 --special-token '<|endoftext|>' --special-token '<mask_1>' --special-token '<mask_2>' \
  --special-token '<sep>' --special-token '<eom>' - -o tok/ <<"END"
{"text":"line of code"}
END
{ seq 20 | awk '{ printf "%s", $1 == 1 ? "{\"id\":1,\"text\":\"" : ""; printf "line %d of code\\n", $1 } END { print "\"}" }'
  echo '{"id":2,"text":"line of code\nline"}'; } > long.jsonl
for rate in 0 1; do
  lm-transform infill --infill-rate $rate --max-tokens 60 -m tok -z none long.jsonl --report r.json > rows.jsonl
  jq -c '[(.input_ids | length) <= 60, .infill.kind, .infill.bytes_cut]' rows.jsonl
  jq -c '.metrics | [.documents_cut, .bytes_cut, .mask_limited]' r.json
  lm-transform infill --inverse -m tok -z none rows.jsonl | jq -c '.text[-12:]'
done
lm-transform infill --max-tokens 5 -m tok -z none long.jsonl
echo "status $?"
lm-transform infill --max-tokens 3 -m tok -z none --on-error skip long.jsonl
echo "status $?"
