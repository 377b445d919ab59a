# Figures of one seed from its ranking and scores.
$report[0] as $r | $r.overall.truth as $truth
| ([$scores[] | select(.kind == "merged") | .nll] | add / length) as $merged
| ([$scores[] | select(.kind == "trained") | .nll] | add / length) as $trained
| (["merged", "baseline"] | map(. as $side | ["pearson", "pearson_ppl", "spearman"]
    | map({("\($side)_\(.)"): $truth[$side][.]}) | add) | add)
+ {merged_regret: $truth.merged.regret_nats, baseline_regret: $truth.baseline.regret_nats,
   merged_best_found: (if $truth.merged.best_found then 1 else 0 end),
   baseline_best_found: (if $truth.baseline.best_found then 1 else 0 end),
   merged_pearson_by_set: $r.mean_truth.merged.pearson, baseline_pearson_by_set: $r.mean_truth.baseline.pearson,
   worst_pearson_by_set: ([$r.by_eval[].truth.merged.pearson] | min), merged_less_trained: ($merged - $trained),
   tokens_modular: $r.cost.modular_tokens, tokens_direct: $r.cost.direct_tokens}
