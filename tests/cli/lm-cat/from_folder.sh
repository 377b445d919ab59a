# A folder stands for its files of the format, by name; auto goes by suffixes and takes JSON lines too.
mkdir -p in/b in/.git; for f in in/c.csv in/b/a.csv in/a.csv in/.x.csv in/.git/z.csv; do printf 'text\n%s\n' $f > $f; done
echo '{"text":"j"}' > in/d.jsonl; echo t > in/e.txt; echo '# x' > in/Makefile
lm-cat --from csv -v in -o out.zst 2>&1 | grep 'other formats'; zstdcat out.zst | jq -r .id
lm-cat --from auto -z none in | jq -r .text
lm-cat --from tsv in -o out; echo "$?"; lm-cat in -o out; echo "$?"
lm-cat --from csv in -o in/new.zst; echo "$?"
cd in && lm-cat --from csv . -z none | jq -r .id
