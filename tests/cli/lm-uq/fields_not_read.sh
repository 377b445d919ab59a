# What stands in fields that are not read is of no matter.
one() { printf '%s\n' "$1" | lm-uq -z none -e num_sets --on-error fail; echo "status $?"; }
one '{"id":1,"big":18446744073709551616,"samples":["a","b"]}'
one '{"id":1,"x":1e400,"samples":["a","b"]}'
one '{"id":1,"x":"\ud800","samples":["a","b"]}'
one '{"id":18446744073709551616,"x":{"samples":1e400},"samples":["a","b"],"p_true":null}'
echo 'of those that are it is said which'
one '{"id":1,"x":1e400,"samples":["a","b"],"p_true":1e400}'
one '{"id":1,"samples":["\ud800"]}'
echo 'fit and eval'
printf '%s\n' '{"id":1,"x":1e400,"correct":1,"uq":{"scores":{"mine":0.1}}}' '{"id":2,"x":"\ud800","correct":0,"uq":{"scores":{"mine":0.2}}}' > s.jsonl
lm-uq eval --boot 0 --metrics auroc s.jsonl
printf '%s\n' '{"id":1,"x":1e400,"correct":1,"emb":{"prompt":[1,2]}}' '{"id":2,"x":"\ud800","correct":0,"emb":{"prompt":[2,1]}}' |
  lm-uq fit -q -o f.st; echo "status $?"
