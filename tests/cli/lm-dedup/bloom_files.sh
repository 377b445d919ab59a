printf '%s\n' '{"text":"a\nb"}' > one.jsonl
printf '%s\n' '{"text":"b\nc"}' > two.jsonl
for f in one two; do lm-dedup paragraph --bloom-n 100 --bloom-p 1e-3 --bloom-out $f.bloom $f.jsonl -o /dev/null; done
lm-dedup bloom merge one.bloom two.bloom -o or.bloom
lm-dedup bloom and one.bloom two.bloom -o and.bloom
for f in one or and; do printf 'a\nb\nc\n' | lm-dedup bloom test $f.bloom | tr '\n' ' '; echo "status $?"; done
lm-dedup bloom info or.bloom | jq -c '[.scheme, .n_target, .n_inserted, .normaliser, .key_kind]'
lm-dedup paragraph --bloom-in or.bloom --bloom-read-only -z none two.jsonl
lm-dedup paragraph --bloom-in one.bloom --bloom-out more.bloom -z none two.jsonl
lm-dedup bloom info more.bloom | jq .n_inserted
