# The greedy heuristic: items by falling value per weight, each that fits.
.instance as {$items, $capacity}
| (reduce ($items | sort_by(-.[0] / .[1])[]) as $item ([]; if (map(.[1]) | add // 0) + $item[1] <= $capacity then . + [$item] else . end)) as $taken
| .completion = ($taken | tojson)
