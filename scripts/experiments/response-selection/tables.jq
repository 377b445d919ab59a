# Every strategy with its scores and its accuracy, means over the seeds; the authors' records, or null.
include "stats";
{strategies: ([$scores[].metrics[] | .metric as $m | .ranking[] | {strategy, metric: $m, mean}] | group_by(.strategy)
   | map(.[0].strategy as $s | (group_by(.metric) | map({(.[0].metric): (map(.mean) | mean)}) | add)
     + {strategy: $s, accuracy: ($figures | map(.["accuracy_\($s)"]) | mean)}) | sort_by(-.accuracy)),
 records: $records[0]}
