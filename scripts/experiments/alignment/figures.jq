# Input: the means of all arms. $good, $weak: PPO without a divergence term along its way; $many: sixteen answers
# to each prompt; $judged, $few, $lots: held-out pairs by reward models of more and fewer pairs.
def mean: add / length;
def gold: .check.objective;
def right: map(if .rewards[0] > .rewards[1] then 1 else 0 end) | mean;
(map({(.arm): .}) | add) as $arms
| $arms.sft.gold as $sft
| ($judged | map(1 / (1 + (-((.reward_chosen - .reward_rejected) | fabs) | exp))) | mean) as $bayes
| ($many | map(select(.check.feasible))) as $answers
| ($answers | group_by(.id)) as $groups
| ($answers | map(gold) | mean) as $one
| {
  rm_accuracy: ($judged | right), rm_share: (($judged | right) / $bayes), rm_share_many: (($lots | right) / $bayes),
  gold_sft: $sft
}
+ ($arms | del(.sft) | with_entries({key: "gain_\(.key)", value: (.value.gold - $sft)}))
+ {
  gain_best4: (($groups | map(.[:4] | max_by(.reward) | gold) | mean) - $one),
  gain_best16: (($groups | map(max_by(.reward) | gold) | mean) - $one),
  gain_ideal16: (($groups | map(max_by(gold) | gold) | mean) - $one),
  kl_dpo: $arms.dpo.kl, kl_ppo: $arms.ppo.kl, kl_grpo: $arms.grpo.kl, kl_best16: ((16 | log) - 15 / 16),
  gain_good: ($good[0][-1].gold - $sft),
  weak_accuracy: ($few | right), gain_weak_peak: (($weak[0] | map(.gold) | max) - $sft),
  gain_weak: ($weak[0][-1].gold - $sft), weak_feasible: $weak[0][-1].feasible,
  weak_proxy_start: $weak[0][0].proxy, weak_proxy: $weak[0][-1].proxy
}
