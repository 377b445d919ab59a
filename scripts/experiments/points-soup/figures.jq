# Of the models of one seed: bits per byte on the test parts, mean over domains, and what differs.
include "stats";
def of($re): [$test[] | select(.model | test($re)) | [.domains[]] | mean];
def one($re): of($re) | if length == 1 then .[0] else error("\($re): \(length) models") end;
of("tuned/") as $single | one("greedy$") as $greedy | one("uniform$") as $uniform | one("random$") as $random
| one("joint/") as $joint | one("lowest") as $lowest | one("\\.random\\.selected") as $any
# The best single model is the one that the valid parts say.
| ($soup[0] | [.candidates[].score]) as $scores
| $single[$scores | index(min)] as $best
| {base: one("base/"), mean_single: ($single | mean), best_single: $best, uniform: $uniform, greedy: $greedy,
   random_soup: $random, joint: $joint, unrelated: one("unrelated$"),
   greedy_less_best_chosen_on: ($soup[0].score - ($scores | min)), greedy_less_best: ($greedy - $best),
   uniform_less_best: ($uniform - $best), greedy_less_uniform: ($greedy - $uniform),
   greedy_less_random: ($greedy - $random), greedy_less_joint: ($greedy - $joint),
   members: ($soup[0].members | length), select_lowest: $lowest, select_random: $any,
   select_highest: one("highest"), lowest_less_random: ($lowest - $any)}
