printf '{"n":1}\n' >part-0
lm-cat --split 1 -o 'part-%d' part-0; echo "$?"
cat part-0
