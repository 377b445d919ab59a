echo '{"id":1,"correct":1,"uq":{"scores":{"msp":1}}}' > s.jsonl
lm-uq eval --metrics aucro s.jsonl; echo "status $?"
lm-uq eval --metrics tsu s.jsonl; echo "status $?"
lm-uq eval -e other s.jsonl; echo "status $?"
lm-uq eval s.jsonl s.jsonl; echo "status $?"
lm-uq eval --temperatures 1,x s.jsonl; echo "status $?"
echo '{"id":2,"uq":{"scores":{"msp":1}}}' | lm-uq eval --on-error fail; echo "status $?"
echo '{"id":2,"correct":1}' | lm-uq eval --on-error fail; echo "status $?"
lm-uq eval --boot 0 s.jsonl; echo "status $?"
: > empty.jsonl; lm-uq eval empty.jsonl; echo "status $?"
lm-uq eval --memory 1 s.jsonl; echo "status $?"
lm-uq eval --boot 0 --plot missing/p.svg s.jsonl; echo "status $?"
lm-uq eval --boot 0 --plot s.jsonl s.jsonl; echo "status $?"
ls
# what eval prints is text: not framed, not compressed, and no input's name
lm-uq eval --boot 0 s.jsonl -o t.zst; echo "status $?"
lm-uq eval --boot 0 -z zstd s.jsonl; echo "status $?"
lm-uq eval --boot 0 s.jsonl -o s.jsonl; echo "status $?"
lm-uq score --list -o list.zst; echo "status $?"
lm-uq fit --seekable s.jsonl -o f.safetensors; echo "status $?"
ls
