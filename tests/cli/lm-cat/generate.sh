lm-cat --generate json | jq -c '[.name, (.verbs[0].flags | map(.name) | index("output") != null)]'
lm-cat --generate bash >c.bash && bash -c '. ./c.bash; COMP_WORDS=(lm-cat --he); COMP_CWORD=1; _lm_cat; printf "%s\n" "${COMPREPLY[@]}"'
lm-cat --generate zsh | head -n 1
lm-cat --generate fish | grep -- '-l head'
lm-cat --generate man | head -n 1
lm-cat --generate pdf
