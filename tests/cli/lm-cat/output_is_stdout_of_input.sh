# Appending a file to itself would never end.
printf '{"a":1}\n' >in
lm-cat in >>in; echo "$?"
lm-cat - <in >>in; echo "$?"
cat in
