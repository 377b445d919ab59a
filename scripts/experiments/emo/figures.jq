# Of one seed: the figures of all arms, and what the losses save and cost beside plain training, in %.
([inputs] | map({(.arm): .}) | add) as $all
| def less($f; $a; $b): 100 * (1 - $all[$a][$f] / $all[$b][$f]);
($all | to_entries | map(.value as $v | ["transport", "ppl", "repeats"] | map({"\(.)_\($v.arm)": $v[.]}) | add) | add)
+ (["emo1", "emo2", "capped", "mixce", "tvd"] | map({"saved_\(.)": less("transport"; .; "ce"), "cost_\(.)": -less("ppl"; .; "ce")}) | add)
+ {saved_emo2_over_base: less("transport"; "emo2"; "base"), cost_emo2_over_base: -less("ppl"; "emo2"; "base")}
