printf '{"n":1}\n' >in.jsonl
for p in plain '%s-%d' 'a%d%d%d' '%' '%x' '-'; do lm-cat --split 2 -o "$p" in.jsonl; echo "$p: $?"; done
lm-cat --split 2 in.jsonl; echo "none: $?"
lm-cat --split 2 -o '100%%-%d' in.jsonl; ls -A
