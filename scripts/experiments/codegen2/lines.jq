# Of each piece the lines that have two before them and one behind, and at least four letters.
(.text | rtrimstr("\n") | split("\n")) as $lines
| range(2; ($lines | length) - 1) as $i
| select($lines[$i] | test("[a-z].*[a-z].*[a-z].*[a-z]"))
| {prefix: ($lines[:$i] | join("\n") + "\n"), line: ($lines[$i] + "\n"), suffix: ($lines[$i + 1:] | join("\n") + "\n")}
