# The reader of standard output goes away: what else was to be written is not there, and the run fails. So it is
# for what a run keeps for later ones.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
printf '{"prompt":"the"}\n' > one.jsonl
# records of much that is passed on: more than a pipe holds
awk 'BEGIN { x = "."; while (length(x) < 200000) x = x x; for (i = 0; i < 12; i++) printf "{\"id\":\"r%d\",\"prompt\":\"the\",\"far\":\"%s\"}\n", i, x }' > in.jsonl
closed() { lm-decode -m m --max-tokens 4 --batch 1 -z none "$@" in.jsonl | head -n 1 | cut -c -9; echo "${PIPESTATUS[0]}"; }
closed
closed --record answers.jsonl
closed --regex 'a+' --grammar-mode asap --asap-trie learned
closed --draft ngram --draft-file drafts
echo '{"when":{},"replies":["x"]}' > rules.jsonl
lm-decode --engine script:rules.jsonl --script-coverage coverage.json -z none in.jsonl | head -n 1 | cut -c -9; echo "${PIPESTATUS[0]}"
ls -A
# what was there stays
for how in '--record answers.jsonl' '--regex a+ --grammar-mode asap --asap-trie learned' '--draft ngram --draft-file drafts'; do
  lm-decode -m m --max-tokens 4 $how one.jsonl -o out.jsonl
done
for kept in answers.jsonl learned drafts; do cp "$kept" "$kept.before"; done
closed --record answers.jsonl 2>/dev/null
closed --regex 'a+' --grammar-mode asap --asap-trie learned 2>/dev/null
closed --draft ngram --draft-file drafts 2>/dev/null
for kept in answers.jsonl learned drafts; do cmp "$kept" "$kept.before" && echo "same $kept"; done
# a recording that goes on cannot be written in place
lm-decode -m m --max-tokens 4 --record answers.jsonl --resume state.jsonl --no-rename one.jsonl -o out.jsonl; echo "status $?"
cmp answers.jsonl answers.jsonl.before && echo same
