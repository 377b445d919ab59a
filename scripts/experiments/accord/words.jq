# Words and numbers of knapsacks, at a line's begin and behind a blank.
["Items", "value", "weight", "Capacity", "Solution", "Total", "Value", "Weight"] + [range(100) | tostring]
| {text: (map(., " " + .) | join("\n"))} as $text | range(20) | $text
