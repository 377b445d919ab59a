seq -f '{"n":%g,"text":"some text to fill the four mebibyte blocks of a split"}' 300000 >in.jsonl
lm-cat --split 3 -o 'part-%05d-of-%05d.jsonl.zst' in.jsonl
ls
lm-cat --check part-*.zst | sed 's/, digest.*//'
lm-cat part-*.zst -z none | sort | cmp - <(sort in.jsonl) && echo same
lm-cat --compare in.jsonl <(lm-cat part-*.zst) && echo equal
