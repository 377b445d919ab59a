echo '{}' > a.jsonl; echo x > a.txt
lm-cat --from jsonl -z none a.jsonl
lm-cat --from avro a.txt; lm-cat --unit line a.jsonl; lm-cat --types guess --from text a.txt; lm-cat --source s a.jsonl
lm-cat --from csv --delimiter ';;' a.txt; lm-cat --from csv --delimiter '"' a.txt; lm-cat --from text --delimiter ';' a.txt
lm-cat --from csv --check a.txt; lm-cat --from csv --compare a.txt a.txt; lm-cat --from csv --expect-end a.txt
echo x > a.bin; lm-cat --from auto a.bin; lm-cat --from auto < a.txt; lm-cat --from auto missing.txt; lm-cat --from csv --quoting some a.txt
lm-cat --from text a.txt -o a.txt; echo "$?"
lm-cat --from auto nosuchdir; echo "$?"; lm-cat --from auto nosuchdir/a.txt; echo "$?"
