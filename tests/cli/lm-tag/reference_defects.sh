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
echo 'D-08: a block of comment lines, with its newlines'
echo '{"text":"# a\n# b\nx"}' > h.jsonl
t -T code_copyright_comments_v1 h.jsonl
t -T code_copyright_comments_v1 --compat dolma h.jsonl
echo 'D-09: a secret on its own line'
echo '{"text":"# http://a:pw1@b # pragma: allowlist secret\nhttp://a:pw1@b"}' > i.jsonl
t -T code_secrets_v1 i.jsonl
t -T code_secrets_v1 --compat dolma i.jsonl
echo 'D-13, D-14: worldbank.org without its w; an address of nowhere'
printf '127.0.0.1 worldbank.org\n' > list
printf '%s\n' '{"text":"x","metadata":{"url":"http://orldbank.org"}}' '{"text":"x","metadata":{"url":"http://127.0.0.1/"}}' > j.jsonl
u() { lm-tag -q -z none --model list "$@" j.jsonl | jq -c '[.attributes[]?]'; }
u -T domain_blocklist_utp_v1
u -T domain_blocklist_utp_v1 --compat dolma
echo 'D-32: rows that the cleaned list leaves out'
echo '[{"url":"http://fun.org","description":"satire"},{"url":"http://a.org","description":"news"}]' > list
echo '{"text":"x","metadata":{"url":"http://fun.org"}}' > j.jsonl
u -T allowlist_wikidata_cleaned_v1
u -T allowlist_wikidata_cleaned_v1 --compat dolma
