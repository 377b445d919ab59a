# A leading zero is not octal: 010 is ten.
seq -f '{"n":%g}' 20 | lm-cat --head 010 -z none | wc -l
seq -f '{"n":%g}' 20 | lm-cat --head 1e1 -z none | wc -l
