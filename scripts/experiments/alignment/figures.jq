# Input: the means of all arms. $good, $weak: PPO without a divergence term along its way; $many: sixteen answers
# to each prompt; $judged, $few: held-out pairs by the two reward models.
def mean: add / length;
def gold: .check.objective;
def right: map(if .rewards[0] > .rewards[1] then 1 else 0 end) | mean;
(map({(.arm): .}) | add) as $arms
| ($judged | right) as $right
| ($judged | map(1 / (1 + (-((.reward_chosen - .reward_rejected) | fabs) | exp))) | mean) as $bayes
| ($many | map(select(.check.feasible)) | group_by(.id)) as $groups
| {rm_accuracy: $right, bayes_accuracy: $bayes, rm_share: ($right / $bayes)}
+ ($arms | with_entries({key: "gold_\(.key)", value: .value.gold}))
+ {
  gold_best4: ($groups | map(.[:4] | max_by(.reward) | gold) | mean),
  gold_best16: ($groups | map(max_by(.reward) | gold) | mean),
  gold_ideal16: ($groups | map(max_by(gold) | gold) | mean),
  kl_dpo: $arms.dpo.kl, kl_ppo: $arms.ppo.kl, kl_rloo: $arms.rloo.kl, kl_grpo: $arms.grpo.kl,
  kl_best16: ((16 | log) - 15 / 16),
  good_gold_peak: ($good[0] | map(.gold) | max), good_gold_end: $good[0][-1].gold, good_proxy_end: $good[0][-1].proxy,
  weak_accuracy: ($few | right), weak_gold_peak: ($weak[0] | map(.gold) | max), weak_gold_end: $weak[0][-1].gold,
  weak_proxy_start: $weak[0][0].proxy, weak_proxy_end: $weak[0][-1].proxy
}
