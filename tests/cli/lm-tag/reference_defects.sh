# Dolma gets these wrong; each with the smallest document that shows it, then as Dolma has it.
t() { lm-tag -q -z none --no-declare "$@" | jq -c '.attributes | map_values(.)'; }
echo 'D-02: 2grams, as filters have to spell it'
lm-tag -T gopher_v1 -q -z none <<< '{"text":"a b c"}' | jq -c '.attributes | keys[] | select(test("2gram"))'
echo 'D-03: offsets of the text, not of its lower case'
echo '{"text":"\u0130\nab cd ef."}' > a.jsonl
t -T c4_v2 a.jsonl
t -T c4_v2 --compat dolma a.jsonl
echo 'D-04: pii_v3 finds an address at the end of the text, which the old pattern misses'
echo '{"text":"write to a@b.de"}' > b.jsonl
t -T pii_regex_v2 b.jsonl
t -T pii_v3 b.jsonl
echo 'D-05: a number that is part of an address on the web'
echo '{"text":"see 555-123-4567.example.com/x"}' > c.jsonl
t -T pii_regex_v2 c.jsonl
t -T pii_regex_v2 --compat dolma c.jsonl
echo 'D-06: the share of characters'
echo '{"text":"at 10.0.0.1 now"}' > d.jsonl
t -T pii_regex_with_counts_fast_v2 d.jsonl
t -T pii_regex_with_counts_fast_v2 --compat dolma d.jsonl
echo 'D-07: three words'
echo '{"text":"one two three"}' > e.jsonl
t -T whitespace_tokenizer_v1 e.jsonl
t -T whitespace_tokenizer_v1 --compat dolma e.jsonl
echo 'D-15: random numbers are the same in every run'
echo '{"id":"a","text":""}' > f.jsonl
t -T random_number_v1 f.jsonl
t -T random_number_v1 --compat dolma f.jsonl
t -T random_number_v1 --seed 1 f.jsonl
echo 'D-33: a text without words'
echo '{"text":" "}' > g.jsonl
t -T pii_regex_v1 g.jsonl
lm-tag -T pii_regex_v1 -q --compat dolma -z none g.jsonl; echo "status $?"
