seq -f '{"n":%g}' 1000 >a; sort -r a >b; head -n 999 a >c; { head -n 999 a; echo '{"n":7}'; } >d
for x in a b c d; do lm-cat --compare a $x; echo "$x: $?"; done
lm-cat --compare a; echo "$?"
lm-cat --compare a missing; echo "$?"
lm-cat --compare a <(lm-cat b); echo "$?"
