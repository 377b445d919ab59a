# Of one seed: perplexities by arm and class, whether they fall with the class, and by how much of a nat a
# character for twice the time (least squares of ln perplexity by log2 of the class).
include "stats";
. as $points
| ($points | map({("\(.arm)_\(.class)"): .}) | add) as $at
| def slope: map([(.class | log / (2 | log)), (.char | log)]) as $p
    | ($p | map(.[0]) | mean) as $mx | ($p | map(.[1]) | mean) as $my
    | ($p | map((.[0] - $mx) * (.[1] - $my)) | add) / ($p | map(.[0] - $mx | . * .) | add);
($points | map({"char_\(.arm)_\(.class)": .char}) | add)
+ ($points | group_by(.arm) | map(sort_by(.class) | {
    "token_\(.[0].arm)": .[-1].token, "steps_\(.[0].arm)": .[-1].steps, "slope_\(.[0].arm)": slope,
    "falls_\(.[0].arm)": (. as $s | [range(1; length) | $s[.].char < $s[. - 1].char] | (map(select(.)) | length) / length)}) | add)
+ (($points | map(.class)) as $all | ($all | min) as $first | ($all | max) as $last
   | def less($arm; $class): $at["\($arm)_\($class)"].char - $at["narrow_\($class)"].char;
   {wide_less_narrow_first: less("wide"; $first), wide_less_narrow: less("wide"; $last),
    coarse_less_narrow: less("coarse"; $last), quasi_less_narrow: less("quasi"; $last)})
