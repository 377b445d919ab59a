# Records as rows of a Parquet file, and back.
printf '%s\n' '{"id":"a","text":"one \u00e9\n","source":"s","metadata":{"n":1,"list":["x"]}}' '{"id":"b","text":"","metadata":null}' \
  '{"id":"c","text":"three","source":"t","more":7,"attributes":{"k":[]}}' > in.jsonl
lm-cat --to parquet in.jsonl -o all.parquet --report r.json; echo "status $?"
jq -c .metrics.parquet r.json
back() { lm-cat --from parquet -z none "$@"; }
back all.parquet
echo 'types, codecs, the same bytes'
printf '%s\n' '{"k":1,"x":0.5,"ok":true,"tags":["a","b"],"m":{"t":"deep"},"text":"t"}' '{"text":"u","tags":[]}' > typed.jsonl
for codec in zstd snappy gzip none; do
  lm-cat --to parquet --codec $codec --fields 'text,k:int,x:float,ok:bool,tags:strings,m.t,m:json' typed.jsonl -o $codec.parquet 2> err; echo "status $?"
done
cat err >&2
for codec in zstd snappy gzip none; do lm-cat --to parquet --codec $codec --fields 'text,k:int,x:float,ok:bool,tags:strings,m.t' typed.jsonl -o $codec.parquet; back $codec.parquet | sed "s/$codec.parquet/FILE/"; done | sort | uniq -c | tr -s ' '
for t in 1 7; do lm-cat -t $t --to parquet in.jsonl -q -o t$t.parquet; done; cmp t1.parquet t7.parquet && echo same
echo 'the options of streams'
lm-cat --to parquet --head 2 -q in.jsonl -o two.parquet; back two.parquet | wc -l
lm-cat --head 0 -z none in.jsonl | lm-cat --to parquet --allow-empty -o none.parquet; back none.parquet | wc -l
printf 'text,n\nyes,5\n' | lm-cat --from csv --to parquet --types guess -o csv.parquet; back csv.parquet
echo 'bad records'
printf '%s\n' '{"id":1,"text":"a"}' '{"id":"x","text":3}' '{"id":"y","text":"b"}' > bad.jsonl
lm-cat --to parquet bad.jsonl -o bad.parquet; echo "status $?"
lm-cat --to parquet --on-error skip bad.jsonl -o good.parquet; echo "status $?"; back good.parquet
ls *.parquet
echo 'refusals'
for how in '' '-o out.parquet -z none' '-o out.parquet --seekable' '-o out.parquet --skip-complete' '-o out.parquet --fields a:b' '-o out.parquet --fields a,a' '-o out.parquet --validate full' '-o in.jsonl' '--split 2 -o p-%d-%d'; do
  lm-cat --to parquet in.jsonl $how; echo "status $?"
done
lm-cat --codec snappy in.jsonl; echo "status $?"
[ -e out.parquet ] || echo absent
