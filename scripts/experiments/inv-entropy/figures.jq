# Figures of one seed from its evaluations: 50 answers, 10, pooled over wordings, differences, TSU twice.
def auroc($name): .estimators[] | select(.name == $name) | .metrics.auroc.value;
def less($first; $second): [.differences[]
  | if .first == $first and .second == $second then .difference.value
    elif .first == $second and .second == $first then -.difference.value else empty end]
  | .[0] // error("no difference of \($first) and \($second)");
def tsu($name): .tsu[] | select(.name == $name) | .percent.value;
$eval as [$fifty, $ten, $pooled, $differences, $tsu2, $tsu4]
| ($fifty | auroc("inv_entropy")) as $inv
| {accuracy: $fifty.accuracy}
+ ($names | split(" ") | map(select(. != "") | {("auroc_\(.)"): (. as $n | $fifty | auroc($n))}) | add)
+ {auroc_cluster_entropy_10: ($ten | auroc("cluster_entropy")),
   auroc_cluster_entropy_pooled: ($pooled | auroc("cluster_entropy")),
   inv_less_cluster_50: ($differences | less("inv_entropy"; "cluster_entropy")),
   inv_less_cluster_10: ($inv - ($ten | auroc("cluster_entropy"))),
   inv_less_cluster_pooled: ($inv - ($pooled | auroc("cluster_entropy"))),
   inv_less_inv_dual: ($differences | less("inv_entropy"; "inv_dual")),
   inv_less_mean_token_entropy: ($differences | less("inv_entropy"; "mean_token_entropy")),
   tsu2_inv_entropy: ($tsu2 | tsu("inv_entropy")), tsu2_cluster_entropy: ($tsu2 | tsu("cluster_entropy")),
   tsu4_inv_entropy: ($tsu4 | tsu("inv_entropy")), tsu4_cluster_entropy: ($tsu4 | tsu("cluster_entropy")),
   identical_prompts_scored: $identical}
