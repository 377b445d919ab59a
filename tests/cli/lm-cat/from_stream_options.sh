# What holds for JSON lines holds for what is made of other formats.
{ echo id,text; seq -f 'r%g,"some text, with a comma, to fill more than one batch of four mebibytes"' 150000; } > big.csv
lm-cat --from csv big.csv -o all.zst; lm-cat --check=full all.zst
for t in 1 2 7; do lm-cat --from csv -t $t -z none big.csv | cmp - <(zstdcat all.zst) && echo "$t threads"; done
lm-cat --from csv --head 2 -z none big.csv; { cat big.csv; echo '"'; } | lm-cat --from csv --head 1 -z none
lm-cat --from csv --split 3 -o 'p%d' big.csv && lm-cat --compare all.zst <(lm-cat p0 p1 p2) && echo split
for i in 0 1; do printf 'text\n%d\n' $i > $i.csv; done; cp 0.csv 2.csv
for i in 0 1; do lm-cat --from csv --shard $i/2 --shard-by file -z none 0.csv 1.csv 2.csv; done
for i in 0 1; do lm-cat --from csv --shard $i/2 -z none --report r.json 0.csv 1.csv 2.csv; jq -c '[.metrics.ingest.kept, .inputs[].records]' r.json; done
printf 'text,"b\n' | lm-cat --from csv -o none --report r.json; jq -c '[.status, .exit]' r.json
lm-cat --from csv --report r.json 0.csv big.csv -o out; jq -c '.metrics.ingest, [.inputs[] | [.name, .records]], .inputs[1].bytes_compressed == '"$(stat -c %s big.csv)" r.json
lm-cat --from csv -v 0.csv -o out.zst 2>&1 | grep -e --from; lm-cat --from csv --skip-complete -v 0.csv -o out.zst 2>&1 | grep complete
lm-cat --from tsv --skip-complete -v 0.csv -o out.zst 2>&1 | grep -e --from
# Rows leave as they come.
mkfifo i o; lm-cat --from csv --flush latency -z none < i > o & exec 3> i 4< o
for text in a b; do if [ $text = a ]; then echo text >&3; fi; echo $text >&3; read -r line <&4; echo "$line"; done
exec 3>&-; wait $!; echo "$?"
