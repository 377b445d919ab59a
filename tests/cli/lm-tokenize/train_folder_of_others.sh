echo '{"text":"low lower lowest"}' > docs.jsonl
mkdir thesis; echo kept > thesis/chapter.tex
for type in bpe sp-bpe; do lm-tokenize train --type $type -n 300 docs.jsonl -o thesis/; echo "status $?"; done
ls -A thesis
mkdir model empty; echo '{}' > model/config.json
lm-tokenize train -n 260 docs.jsonl -o model && lm-tokenize train -n 260 docs.jsonl -o empty && ls -A model empty
