# A run that was cut short while its outputs were put in place: the same command makes them anew. What
# is not as that run made it, or is of other inputs, stays.
for i in 1 2 3 4; do echo "{\"id\":\"d$i\",\"text\":\"document $i\"}"; done > in.jsonl
cat > r.json <<'EOF'
{"streams": [{"name": "a", "documents": "in.jsonl", "output": {"path": "out/a", "max_size": 40}},
             {"name": "b", "documents": "in.jsonl", "shuffle": true, "output": {"path": "out/b"}}]}
EOF
r() { lm-mix "$@"; echo "status $?"; }
cut_short() { mv "out/$1/$1.manifest.json" "out/$1/$1.unfinished.json"; }
r --recipe r.json; find out -type f -exec cksum {} + | LC_ALL=C sort -k 3 > first
same() { find out -type f -exec cksum {} + | LC_ALL=C sort -k 3 | cmp - first && echo same; }
# Some parts are in place, the others and the other stream's are not.
cut_short a; rm out/a/a-0000[13]* out/b/b-00000.jsonl.zst; cut_short b
r -v --recipe r.json 2>&1 | grep -e anew -e status; same
# One stream has its manifest, the other has not.
cut_short b; r -v --recipe r.json 2>&1 | grep -e anew -e complete -e status; same
# All is complete.
r --recipe r.json
# A part of somebody else's, one more, one that is cut.
cut_short a; cp in.jsonl out/a/a-00001.jsonl.zst; r --recipe r.json; cmp in.jsonl out/a/a-00001.jsonl.zst
rm out/a/a-00001.jsonl.zst; lm-cat in.jsonl -o out/a/a-00007.jsonl.zst; r --recipe r.json; ls out/a
rm out/a/a-00007.jsonl.zst; truncate -s -9 out/a/a-00000.jsonl.zst; r --recipe r.json
rm out/a/a-00000.jsonl.zst; r --recipe r.json; same
# Other inputs.
cut_short a; touch -d 2001-01-01 in.jsonl; r --recipe r.json
# A list without outputs is no hindrance.
rm out/a/a-* out/b/*; r --recipe r.json; ls out/a
