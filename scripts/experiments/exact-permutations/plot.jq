# Points of the plot: networks for 90 % by formula, drawn (a point for each seed) and published.
(.tables.formula[] | ["formula, \(.scaling)", .k, .needed]),
(.figures | to_entries[] | select(.key | test("^needed_")) | (.key[7:] | tonumber) as $k
 | .value.values[] | ["drawn, standard", $k, .]),
(.tables.published | to_entries[] | ["published", (.key | tonumber), .value]) | @tsv
