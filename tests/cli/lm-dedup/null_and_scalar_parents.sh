# What is to be added inside a null makes an object of it; inside a text it makes a bad record.
doc() { printf '{"id":"%s","text":%s%s}\n' "$@"; }
copy='"the same nine words are said by all three"'
{ doc a "$copy" ',"metadata":"none"'; doc b "$copy" ',"metadata":null'; doc c "$copy" ',"metadata":[],"attributes":null'; doc d null ',"attributes":{}'; } > in.jsonl
lm-dedup minhash --cluster-info --on-missing keep -z none in.jsonl; echo "status $?"
lm-dedup minhash --cluster-info --on-missing keep --on-error skip -z none in.jsonl
# Without --cluster-info nobody asks what metadata is; a null text is a missing one.
lm-dedup minhash --on-missing keep -z none in.jsonl
for verb in document paragraph; do lm-dedup $verb -z none --on-error skip in.jsonl; done
for prefer in longest newest:date; do lm-dedup --on-missing keep --key id --prefer $prefer --action remove -z none in.jsonl | wc -l; done
