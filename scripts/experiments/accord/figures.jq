# Figures of one seed from the checker's reports by arm, and the share of records whose problem was told.
def share: (map(select(.adapter == .problem)) | length) / length;
(map({(.arm): .check}) | add) as $of
| {feasible_lists: $of.lists.first.feasible, feasible_accord: $of.accord.first.feasible,
  margin: ($of.accord.first.feasible - $of.lists.first.feasible),
  gap_lists: $of.lists.first.gap, gap_accord: $of.accord.first.gap,
  best_lists: $of.lists.best.feasible, best_accord: $of.accord.best.feasible,
  gap_best_lists: $of.lists.best.gap, gap_best_accord: $of.accord.best.gap,
  feasible_exact: $of.exact.feasible, feasible_gcd: $of.gcd.feasible, feasible_lists_gcd: $of.lists_gcd.feasible,
  gap_exact: $of.exact.first.gap, gap_gcd: $of.gcd.first.gap, gap_lists_gcd: $of.lists_gcd.first.gap,
  gap_best_exact: $of.exact.best.gap, gap_best_gcd: $of.gcd.best.gap,
  gap_random: $of.random.first.gap, gap_greedy: $of.greedy.first.gap,
  router: ($routed | share), router_input: ($inputs | share)}
