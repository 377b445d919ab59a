# A first word that is nearly a verb: a file of that name is read, else the verb is named.
echo '{"text":"a"}' >in.jsonl
lm-dedup minhsh in.jsonl; echo "status $?"
lm-dedup minhsh --preset web in.jsonl; echo "status $?"
lm-dedup missing in.jsonl; echo "status $?"
cp in.jsonl minhsh
lm-dedup -z none --action remove minhsh in.jsonl
