# A folder that may not be made. Root gives up its rights for it.
less=()
if [ "$(id -u)" = 0 ]; then
  less=(setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search)
  "${less[@]}" true 2> /dev/null || { echo 'SKIP root may not give up its rights'; exit 77; }
fi
echo '{"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}' > tok.json
echo '{"text":"a"}' > in.jsonl
mkdir d; chmod 500 d
"${less[@]}" lm-tokenize pack -m tok.json in.jsonl -o d/no/x; echo "status $?"
ls -A d
chmod 700 d
