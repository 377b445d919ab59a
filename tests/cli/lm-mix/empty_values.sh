# An empty value is refused before anything is read: most often it is a variable that is not set.
echo '{"id":1,"text":"x","n":1}' > in.jsonl
try() { lm-mix "$@" in.jsonl -o out; echo "$?"; }
for option in where drop include exclude cut discard sample weights field count clean; do try "--$option" ''; done
try --top 1 --by ''; try --top 1 --by n --group ''; try --cut ':x'
printf '[lm-mix]\ndiscard = ["a", ""]\n' > c.toml; try --config c.toml
test -e out || echo absent
