# An empty list does not mean standard input.
: >list; printf '{"a":1}\n' >in
lm-cat -z none --files-from list <in; echo "$?"
lm-cat -z none --files-from list --files0-from list <in; echo "$?"
lm-cat -z none --files-from list --allow-empty <in; echo "$?"
lm-cat -z none --files-from list in
