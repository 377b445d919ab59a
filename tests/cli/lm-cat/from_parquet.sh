# Rows of Parquet files as records; the files are those of the reader's own tests.
golden="$(dirname "$0")/../../golden/parquet"
for name in nulls-v2-plain-zstd lists-v2 types dictionary-fallback; do cp "$golden/$name.parquet" "$golden/$name.expected.jsonl" .; done
from() { lm-cat --from parquet -z none "$@"; }
echo 'every value, with its type, in metadata'
for name in nulls-v2-plain-zstd lists-v2 dictionary-fallback; do
  text=$(head -n 1 $name.expected.jsonl | jq -r 'to_entries | map(select(.value | type == "string"))[0].key // ""')
  [ -n "$text" ] || text=$(jq -r 'to_entries | map(select(.value | type == "string"))[0].key // empty' $name.expected.jsonl | head -n 1)
  [ -n "$text" ] || continue
  from --text-column "$text" $name.parquet | jq -c --arg t "$text" '.metadata + {($t): .text}' | jq -cS . > got
  jq -cS . $name.expected.jsonl | cmp - got && echo "same $name"
done
from --text-column cat --id-column u8 --metadata-columns uuid,json --source corpus types.parquet
from --text-column cat --metadata-columns none types.parquet | jq -c .id
echo 'the options of streams'
from --text-column cat --head 1 types.parquet | jq -r .id
from --text-column large -t 7 types.parquet > seven; from --text-column large -t 1 types.parquet | cmp - seven && echo same
mkdir part; cp types.parquet part/b.parquet; cp types.parquet part/a.parquet; : > part/README
from --text-column cat --metadata-columns none part | jq -c .id
lm-cat --from auto --text-column cat --metadata-columns none -z none part/a.parquet | wc -l
lm-cat --from parquet --text-column cat types.parquet -o out.jsonl.zst --report r.json; jq -c .metrics.ingest r.json; lm-cat --check out.jsonl.zst | cut -d, -f 1,2
echo 'refusals'
bad() { lm-cat --from parquet "$@" -o no.jsonl; echo "status $?"; }
bad types.parquet
bad --text-column u8 types.parquet
bad --text-column cat --id-column none types.parquet
cp "$golden/nested.parquet" "$golden/brotli.parquet" .
first=$(lm-cat --from parquet --text-column none nested.parquet 2>&1 | sed -n 's/.*among "\([^"]*\)".*/\1/p')
bad --text-column "$first" nested.parquet
lm-cat --from parquet --text-column "$first" --metadata-columns none -z none nested.parquet | jq -c 'has("metadata")' | sort -u
head -c 900 types.parquet > cut.parquet; bad --text-column cat cut.parquet
echo '{"text":"a"}' > lines.parquet; bad lines.parquet
bad - < types.parquet
bad --text-column cat --types guess types.parquet
lm-cat types.parquet; echo "status $?"
ls
