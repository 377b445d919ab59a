printf '%s\n' '{"text":"a"}' > in.jsonl
lm-dedup --bloom-n 100 --bloom-out a.bloom in.jsonl -o /dev/null
lm-dedup --bloom-n 100 --bloom-out b.bloom --seed 1 in.jsonl -o /dev/null
lm-dedup bloom merge a.bloom b.bloom -o c.bloom; echo "status $?"
lm-dedup paragraph --bloom-in a.bloom in.jsonl; echo "status $?"
head -c 5000 a.bloom > cut.bloom; lm-dedup --bloom-in cut.bloom in.jsonl; echo "status $?"
lm-dedup --bloom-in in.jsonl in.jsonl; echo "status $?"
lm-dedup --bloom-in none.bloom in.jsonl; echo "status $?"
lm-dedup --bloom-size 1M in.jsonl; echo "status $?"
lm-dedup --exact --bloom-n 10 in.jsonl; echo "status $?"
lm-dedup --bloom-read-only in.jsonl; echo "status $?"
lm-dedup bloom merge a.bloom; echo "status $?"
lm-dedup bloom; echo "status $?"
ls
# a saved filter keeps its size, its seed, its separator and its whole list of keys
lm-dedup --bloom-in a.bloom --bloom-n 10 in.jsonl; echo "status $?"
lm-dedup --bloom-in a.bloom --bloom-size 1M in.jsonl; echo "status $?"
lm-dedup --bloom-in b.bloom --seed 2 in.jsonl; echo "status $?"
lm-dedup --bloom-in b.bloom -z none in.jsonl; echo "status $?"
lm-dedup paragraph --separator ';' --bloom-n 100 --bloom-out p.bloom in.jsonl -o /dev/null
lm-dedup paragraph --bloom-in p.bloom in.jsonl; echo "status $?"
long=metadata.a_rather_long_name_of_a_field
echo '{"text":"","metadata":{"a_rather_long_name_of_a_field1":"u","a_rather_long_name_of_a_field2":"u"}}' > long.jsonl
lm-dedup --key ${long}1 --bloom-n 100 --bloom-out l.bloom long.jsonl -o /dev/null
lm-dedup --key ${long}2 --bloom-in l.bloom long.jsonl; echo "status $?"
lm-dedup --key ${long}1 --bloom-in l.bloom -z none long.jsonl | jq -c .attributes; echo "status $?"
lm-dedup --bloom-in b.bloom --print-config > again.toml; lm-dedup --config again.toml -z none in.jsonl; echo "status $?"
# what is printed is text, and replaces no filter
cp a.bloom same.bloom
lm-dedup bloom info a.bloom -o a.bloom; echo "status $?"
lm-dedup bloom info a.bloom -o info.zst; echo "status $?"
lm-dedup bloom test a.bloom -o a.bloom < in.jsonl; echo "status $?"
cmp a.bloom same.bloom && echo "still there"
