# Cleaners change or drop; the report says what they did; attributes of changed texts go.
printf '%s\n' '{"id":1,"text":"Menu\nIt was a day.\nno end","attributes":{"x":[[0,1,1]]},"n":1.50}' \
  '{"id":2,"text":"It was a day.","attributes":{"x":[]}}' '{"id":3,"text":"It was {x}.","z":null}' \
  '{"id":4,"text":"Home"}' > in.jsonl
s() { lm-mix "$@" --report r.json -z none in.jsonl; echo "status $?"; jq -c '.metrics | .cleaners[]?, .dropped, .emptied, .kept' r.json; }
s --clean c4:sentences=0
s --clean c4:sentences=0 --keep-attributes --min-left 0
s --clean line-len --clean word-removal:share=0.3 --provenance
s --clean c4:sentences=0 --as-attributes
lm-mix --clean c4:sentences=0 --report-only in.jsonl
# Cuts come before.
lm-mix --cut x --clean c4:sentences=0 --as-attributes -z none in.jsonl | head -n 1
