# Figures of results.json, "NAME:COLOUR ..." in $what, as lines of "plot intervals".
.figures as $figures | $what | split(" ")[] | select(. != "") | split(":") as [$name, $colour]
| $figures[$name] // error("no figure \($name)")
| [$name, .mean, .low // .mean, .high // .mean, $colour] | @tsv
