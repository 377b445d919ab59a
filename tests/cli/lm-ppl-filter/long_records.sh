# Long records are charged before they are held: the size that a refusal names is enough for them.
record() { printf '{"id":%s,"text":"' "$1"; yes "the end of $1" | head -c 17000000 | tr '\n' ' '; printf '"}\n'; }
{ record 1; echo '{"id":2,"text":"short"}'; record 3; } > in.jsonl
lm-ppl-filter score --zlib --memory 64M in.jsonl -o out; echo "$?"; test -e out || echo absent
lm-ppl-filter score --zlib --memory 64M in.jsonl 2>&1 -o out | sed -n 's/.*--memory \([0-9]*M\) would do/\1/p' > enough
lm-ppl-filter score --zlib --memory "$(cat enough)" in.jsonl -z none | cut -c 1-8
# Of words between blanks, and of lines, a model holds a part at a time.
printf '\\data\\\nngram 1=5\n\n\\1-grams:\n-1\t<unk>\n-99\t<s>\n-1\t</s>\n-0.5\tthe\n-0.5\tend\n\n\\end\\\n' > m.arpa
for unit in doc line; do
  lm-ppl-filter score -m m.arpa --unit $unit --name m -z none in.jsonl | grep -o '"lm_ppl__m__tokens":[^]]*' | grep -o '[0-9]*$'
done
