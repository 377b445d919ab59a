# Options that cannot mean anything are refused before anything is read.
echo '{"id":1,"text":"x","n":1}' > in.jsonl
try() { lm-stats "$@" in.jsonl; echo $?; }
try --number 'n >'
try --number a=n --number a=text
try --edges n
try --edges m=1 --number n
try --top 'hosts(url)'
try --cross source
try --quantiles 0.5,0.1
try --quantiles 2
try --json --tsv
try --partial --html p.html
try --extract 5
try -o out.zst
try --seekable
try --html in.jsonl
try --allow-missing x
# An empty value is a variable that is not set.
for option in group top cross number edges count field drop where allow-missing sidecar rules; do try --$option ''; done
try --cross source, ; try --top 'host()'
printf '[lm-stats]\ngroup = ""\n' > c.toml; try --config c.toml
lm-stats merge --shard 0/2 in.jsonl; echo $?
lm-stats merge --top x in.jsonl; echo $?
