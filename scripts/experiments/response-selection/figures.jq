# Of one seed: accuracies after training on each strategy, how rankings by scores agree with them, and what the
# strategy that each chooses gives.
include "stats";
def after($s): [$accuracy[] | select(.strategy == $s) | .accuracy] | .[0] // error("no \($s)");
def by($m): $eval[0].metrics[] | select(.metric == $m);
{accuracy_base: $base[0].accuracy, accuracy_per_item: after("per-item"), any_strategy: $eval[0].mean,
 best_strategy: $eval[0].best, rho_sppl_10: $ten[0].metrics[0].rho}
+ ($strategies | words | map({"accuracy_\(.)": after(.)}) | add)
+ ($metrics | words | map({"rho_\(.)": by(.).rho, "chosen_\(.)": by(.).accuracy}) | add)
+ {sppl_less_any: (by("sppl").accuracy - $eval[0].mean), sppl_less_ppl: (by("sppl").accuracy - by("ppl").accuracy),
   sppl_less_length: (by("sppl").accuracy - by("length").accuracy),
   per_item_less_chosen: (after("per-item") - by("sppl").accuracy)}
