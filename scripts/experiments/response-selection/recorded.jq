# Of the authors' records, per target and over all: means over the ranges of questions that were scored.
include "stats";
def of($target): map(select(.target == $target));
[inputs | . + {target: (input_filename | capture("[.](?<t>[a-z0-9_]+)[.]eval[.]json$").t)}] as $all
| ($all | map(.target) | unique) as $targets
| {targets: [$targets[] as $t | $all | of($t) | {target: $t, tasks: (.[0].tasks | length), any: (map(.mean) | mean),
    best: (map(.best) | mean), metrics: [.[0].metrics[].metric as $m | [.[].metrics[] | select(.metric == $m)]
      | {metric: $m, rho: (map(.rho) | mean), weighted_rho: (map(.weighted_rho) | mean), accuracy: (map(.accuracy) | mean),
         sppl_less_this: {mean: (map(.first_less) | mean), low: (map(.first_less_low) | mean), high: (map(.first_less_high) | mean)}}]}],
   # One strategy for every task of every target, the control.
   always: ($accuracies | group_by([.task, .strategy]) | map({task: .[0].task, strategy: .[0].strategy, accuracy: (map(.accuracy) | mean)})
     | (map(.task) | unique | length) as $n | group_by(.strategy) | map(select(length == $n) | {strategy: .[0].strategy, accuracy: (map(.accuracy) | mean)})
     | sort_by(-.accuracy))}
