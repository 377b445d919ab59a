# Seventy key fields: the last one decides as well, and a field twice is seen wherever it stands.
keys=$(printf -- '--key k%d ' $(seq 70))
record() { printf '{'; printf '"k%d":"x",' $(seq 69); printf '"k70":"%s"%s}\n' "$@"; }
{ record a; record b; record a; } > in.jsonl
lm-dedup $keys --action remove -z none in.jsonl | grep -o '"k70":.*'
record a ',"k66":"y"' | lm-dedup $keys -z none; echo "status $?"
