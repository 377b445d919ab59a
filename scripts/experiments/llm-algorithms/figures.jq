# Figures of one seed: the model trained on short texts, and the one trained on longer ones.
def at($check; $m): $check.cells[] | select(.m == ($m | tonumber));
# The size of least error; of equal ones the one of the fewest prompt tokens, which is the largest.
def best(of): .cells | min_by([of, -.m]) | .m;
$short[0] as $short | $long[0] as $long | ($shown | split(" ")) as $shown
| ($shown | map({("error_\(.)"): at($short; .).error.run, ("predicted_\(.)"): at($short; .).error.predicted.mean,
    ("tokens_\(.)"): at($short; .).prefill_tokens.run, ("long_error_\(.)"): at($long; .).error.run}) | add)
+ {inside: $short.bars.error_inside_share,
   exact: ([$short, $long] | if all(.bars.calls and .bars.prefill_tokens) then 1 else 0 end),
   best: ($short | best(.error.run)), planned: ($short | best(.error.predicted.mean)),
   long_inside: $long.bars.error_inside_share,
   long_best: ($long | best(.error.run)), long_planned: ($long | best(.error.predicted.mean))}
