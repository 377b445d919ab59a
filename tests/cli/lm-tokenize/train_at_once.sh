for i in $(seq 200); do echo "{\"text\":\"low lower lowest new newer newest wide wider widest $i\"}"; done > in.jsonl
lm-tokenize train -q -n 290 in.jsonl -o alone/
for round in 1 2 3 4 5; do
  rm -rf together
  for k in 1 2 3 4; do lm-tokenize train -q -n 290 in.jsonl -o together/ || echo "status $?" & done; wait
  diff -r alone together && ls -A together
done
