# Differences of a seed with the intervals over its questions; right answers over all seeds by the place of the thing.
{differences: ($compared | map(.cell as $cell | .comparisons[] | {cell: $cell, order: (.task | ltrimstr("recall_")), difference, interval, p_holm})),
 by_place: ([inputs] | group_by([(.cell | split("-")[0]), .order, .place])
   | map({model: (.[0].cell | split("-")[0]), order: .[0].order, place: .[0].place, right: (map(.right) | add / length)}))}
