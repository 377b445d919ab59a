# Dolma gets these wrong; each with the smallest document that shows it, then as Dolma has it.
t() { lm-tag -q -z none --no-declare "$@" | jq -c '.attributes | map_values(.)'; }
echo 'D-02: 2grams, as filters have to spell it'
lm-tag -T gopher_v1 -q -z none <<< '{"text":"a b c"}' | jq -c '.attributes | keys[] | select(test("2gram"))'
echo 'D-03: offsets of the text, not of its lower case'
echo '{"text":"\u0130\nab cd ef."}' > a.jsonl
t -T c4_v2 a.jsonl
t -T c4_v2 --compat dolma a.jsonl
