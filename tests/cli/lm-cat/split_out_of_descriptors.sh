# Nothing is left where the descriptors end in the middle.
seq -f '{"n":%g}' 50 > in
(ulimit -n 24; lm-cat --split 40 -o 'part-%02d-of-%02d' in); echo "status $?"
ls -A
