# Nothing is left where the descriptors end in the middle; which part is one too many depends on what
# the shell has open.
seq -f '{"n":%g}' 50 > in
(ulimit -n 24; lm-cat --split 40 -o 'part-%02d-of-%02d' in 2> message); echo "status $?"
sed 's/part-[0-9]*/part-NN/' message; rm message
ls -A
