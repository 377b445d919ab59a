# Input: the means of all arms. $free: PPO without a divergence term along its way; $many: sixteen answers to each
# prompt; $judged: held-out pairs.
def mean: add / length;
def gold: .check.objective;
(map({(.arm): .}) | add) as $arms
| ($free[0]) as $path
| ($judged | map(if .rewards[0] > .rewards[1] then 1 else 0 end) | mean) as $right
| ($judged | map(1 / (1 + (-((.reward_chosen - .reward_rejected) | fabs) | exp))) | mean) as $bayes
| ($many | map(select(.check.feasible)) | group_by(.id)) as $groups
| {rm_accuracy: $right, bayes_accuracy: $bayes, rm_share: ($right / $bayes)}
+ ($arms | with_entries({key: "gold_\(.key)", value: .value.gold}))
+ {
  gold_best4: ($groups | map(.[:4] | max_by(.reward) | gold) | mean),
  gold_best16: ($groups | map(max_by(.reward) | gold) | mean),
  gold_ideal16: ($groups | map(max_by(gold) | gold) | mean),
  kl_dpo: $arms.dpo.kl, kl_ppo: $arms.ppo.kl, kl_rloo: $arms.rloo.kl,
  kl_best16: ((16 | log) - 15 / 16),
  proxy_start: $arms.sft.proxy, proxy_end: $path[-1].proxy,
  gold_peak: ($path | map(.gold) | max), gold_end: $path[-1].gold, kl_end: $path[-1].kl
}
