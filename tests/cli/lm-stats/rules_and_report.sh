# What rules would remove, from the command line and from a file; the tables that are printed.
cat > in.jsonl <<'X'
{"id":"a","source":"web","text":"one two three four five six seven","n":7,"attributes":{"t__t__n":[[0,33,7]],"pii":[[8,13,1],[19,23,0.5]]}}
{"id":"b","source":"web","text":"one\ttwo\n\nthree","n":3,"attributes":{"t__t__n":[[0,14,3]],"pii":[]}}
{"id":"c","source":"books","text":"","n":0}
{"id":"d","text":"last","n":1.5}
X
cat > rules <<'X'
# what we think of
short=n < 2
where tagged=has("t.n")
X
lm-stats in.jsonl --drop 'pii=has("pii")' --rules rules --examples 2 --extract 8 --count 'length(text)' --top source --cross source,n --histograms
echo; lm-stats in.jsonl --drop 'n < 2' --tsv --discover no
lm-stats in.jsonl --drop 'n < 2' --number 'n / 2' --json
echo 'n < 2' > rules; lm-stats in.jsonl --rules rules; echo $?
lm-stats --drop 'n < "a"' in.jsonl; echo $?
lm-stats --drop 'score("t.m") < 2' in.jsonl; echo $?
