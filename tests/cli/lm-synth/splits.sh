# Splits have nothing in common; a record is the same however many there are.
make() { lm-synth task "$@" -q -z none; }
for split in train valid test; do make invperm --form text --set d=4 -n 30 --split $split | jq -r '.prompt' >$split; done
sort train valid test | uniq -d | wc -l
make lookup -n 50 --seed 3 >fifty
make lookup -n 20 --seed 3 | cmp - <(head -n 20 fifty) && echo same
make lookup -n 50 --seed 3 --shard 1/3 | cmp - <(awk 'NR % 3 == 2' fifty) && echo shard
make lookup -n 50 --seed 4 | cmp -s - fifty || echo other
echo 'as many as there are'
make permute-bits --set k=5 | jq -c .input
for split in train valid test; do make invperm --set d=3 --form text --split $split | wc -l; done | awk '{ n += $1 } END { print n }'
make invperm --set d=3 --form text --shares 1,0,0 | wc -l
echo 'the verb, and the option that stands for it'
lm-synth --task lookup -n 1 -q -z none | cmp - <(make lookup -n 1) && echo same
lm-synth -n 1 -q -z none --task=lookup | cmp - <(make lookup -n 1) && echo same
echo 'what a stream says of itself'
lm-synth task lookup -n 3 --set k=2 --seed 9 -o a.jsonl.zst && lm-cat --check=full a.jsonl.zst
lm-cat --header a.jsonl.zst | jq -c '[.tool, .seed, .params]'
lm-synth task lookup -n 3 --form ids -o a.jsonl --report report.json && jq -c .metrics report.json
echo 'repeated'
make permute-bits --set k=3 -n 6 --no-distinct | jq -c .input | sort | uniq -c | tr -s ' '
