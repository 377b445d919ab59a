for i in $(seq 200); do echo "{\"text\":\"low lower lowest new newer newest wide wider widest $i\"}"; done > in.jsonl
lm-tokenize train --type sp-bpe -n 60 in.jsonl -o sp.model
printf '{"text":"low</s><s>new"}\n' > doc.jsonl
for how in hf text error; do lm-tokenize -m sp.model --special $how -z none doc.jsonl | jq -c '[.input_ids | index(1), index(2)] | map(. != null)'; echo "status ${PIPESTATUS[0]}"; done
lm-tokenize -m sp.model -z none doc.jsonl | lm-tokenize decode -m sp.model -z none | jq -r .text
lm-tokenize -m sp.model --offsets -z none doc.jsonl | jq -c '[.input_ids, .offsets] | transpose | map(select(.[0] == 1 or .[0] == 2))'
printf '{"tokens":[]}\n' | lm-tokenize decode -m sp.model -z none; echo "status $?"
printf '{"tokens":[]}\n' | lm-tokenize pack --from-ids -m sp.model -o x; echo "status $?"
lm-tokenize train --type sp-unigram -n 1000 in.jsonl -o no 2>&1 | sed 's/<= [0-9]*/<= N/'; echo "status ${PIPESTATUS[0]}"
