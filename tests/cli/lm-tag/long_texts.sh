# What is found in a long text is charged as it grows, and ends the run before it is held.
{ printf '{"id":1,"text":"'; seq 700000 | tr '\n' '_' | sed 's/_/\\n/g'; printf '"}\n'; } > in.jsonl
t() { lm-tag -T char_length_with_paragraphs_v1,whitespace_tokenizer_with_paragraphs_v1 "$@"; }
t --memory 24M in.jsonl -o out; echo "$?"
t --memory 70M in.jsonl -o out; echo "$?"; test -e out || echo absent
# Printed tagger by tagger or all at once (a record that has attributes), it is the same.
t --memory 400M in.jsonl -z none | jq -c '.attributes | map_values([length, .[0], .[-1]])'
sed 's/^{/{"attributes":{"a":[]},/' in.jsonl > has.jsonl
cmp <(t in.jsonl -z none | jq -cS '.attributes') <(t has.jsonl -z none | jq -cS '.attributes | del(.a)') && echo same
mkdir documents; cp in.jsonl documents/in.jsonl; t --sidecar side documents/in.jsonl
cmp <(t in.jsonl -z none | jq -cS '.attributes') <(cat side/*/in.jsonl | jq -cS '.attributes' | jq -cS -s add) && echo same
