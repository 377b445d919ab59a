# Figures of one seed from its curve, and the points of the curve.
("Ann Bob Cid Dora Ed Fay Gus Hal Ida Jim Kay Lou" | split(" ")) as $people
# Right towns of one text, of {towns, hard}: [of all, of those that are anywhere].
| def right($asked): (split(" ")[1:] | . as $w | [range(0; length; 2) | {key: $w[.], value: ($w[. + 1] // "")}] | from_entries) as $at
    | [range(12) | {hard: $asked.hard[.], right: (if $at[$people[.]] == $asked.towns[.] then 1 else 0 end)}];
  # Between two points of a control, whose shares rise.
  def between($points; $share): ($points | sort_by(.share)) as $p
    | ([range(1; $p | length) | select($p[.].share >= $share)][0] // (($p | length) - 1)) as $i
    | $p[$i - 1] as $a | $p[$i] as $b
    | if $b.share == $a.share then $b.accuracy
      else $a.accuracy + ($b.accuracy - $a.accuracy) * ($share - $a.share) / ($b.share - $a.share) end;
  def mean: add / length;
  [inputs | . as $point | [range(.answers | length) as $i | .answers[$i] | right($asked[$i])[]] as $towns
    | {rule, at, share: (.large / (.large + .small)), accuracy: ($towns | map(.right) | mean),
       accuracy_hard: ($towns | map(select(.hard == 1) | .right) | mean), cost_flop, cost_param}] as $points
| ($points | map(select(.rule == "entropy"))) as $entropy
| ($entropy | map(select(.at >= 0.25 and .at <= 2))) as $used
| def less($rule): [$used[] | .accuracy - between($points | map(select(.rule == $rule)); .share)] | mean;
  ($entropy[] | select(.at == 100)) as $small | ($entropy[] | select(.at == 0.5)) as $half
| {points: $points, figures: ({accuracy_large: ($points | map(select(.rule == "first" and .at == 60))[0].accuracy), accuracy_small: $small.accuracy,
    entropy_less_random: less("random"), entropy_less_first: less("first"),
    kept_50: ($half.accuracy / ($points | map(select(.rule == "first" and .at == 60))[0].accuracy)), flop_50: $half.cost_flop, param_50: $half.cost_param}
  + ($used | map({("share_\(.at * 100)"): .share, ("accuracy_\(.at * 100)"): .accuracy}) | add))}
