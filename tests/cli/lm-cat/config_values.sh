# Quoted texts keep what looks like a comment, an array or a section; a mistake names its line.
printf 'compress = "none" # comment\n[lm-cat]\ntmp-dir = "a #b [c] \\"d\\""\nhead = 1\n' >run.toml
lm-cat --config run.toml --print-config | grep -E '^(compress|tmp-dir|head)'
printf '[lm-cat]\nhead = 1\nhead = 2\n' >twice.toml
lm-cat --config twice.toml
