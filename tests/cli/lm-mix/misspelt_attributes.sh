# D-02: a filter that names an attribute which no tagger writes ends the run, and no output appears.
printf '%s\n' '{"id":1,"text":"a","attributes":{"g__g__most_common_2grams":[[0,1,1]],"has":[]}}' '{"id":2,"text":"b"}' > in.jsonl
s() { lm-mix "$@" in.jsonl -o out.jsonl; echo "status $?"; [ ! -e out.jsonl ] || { cat out.jsonl; rm out.jsonl; }; }
s --drop 'score("g.most_common_2gram") > 0.2'
s --drop 'attributes.g__g__most_common_2gram > 0.2'
s --cut nowhere
s --sample 'min(1, score("q"))' --on-error skip
s --drop 'score("g.most_common_2gram") > 0.2' --allow-missing g.most_common_2gram
s --drop 'score("g.most_common_2gram") > 0.2' --lax-attributes
# Declared by an empty list: seen.
s --drop 'has("has")'
s --drop 'has("has")' --allow-missing hat
lm-mix --report-only --drop 'has("hat")' in.jsonl; echo "status $?"
# Nothing read, nothing known.
: > none.jsonl; lm-mix --drop 'has("hat")' none.jsonl; echo "status $?"
echo 'a plain field may be optional: a warning says that no record has it'
printf '%s\n' '{"id":1,"text":"a","metadata":{"lang":"en"}}' '{"id":2,"text":"b","metadata":{"lang":"de"}}' > fields.jsonl
lm-mix --where 'metdata.lang == "en"' -z none fields.jsonl; echo "status $?"
lm-mix --where 'metadata.lang == "en"' --drop 'metadata.stars > 3' -z none fields.jsonl; echo "status $?"
lm-mix --lax-attributes --where 'metdata.lang == "en"' -z none fields.jsonl; echo "status $?"
lm-mix --discard metdata --discard attributes -z none fields.jsonl; echo "status $?"
printf '%s\n' '{"id":1,"text":"a","n":null}' | lm-mix --discard n -z none; echo "status $?"
