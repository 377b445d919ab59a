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
    "token_\(.[0].arm)_6": .[-1].token, "steps_\(.[0].arm)_6": .[-1].steps, "slope_\(.[0].arm)": slope,
    "falls_\(.[0].arm)": (. as $s | [range(1; length) | $s[.].char < $s[. - 1].char] | (map(select(.)) | length) / length)}) | add)
+ {wide_less_narrow_3: ($at.wide_3.char - $at.narrow_3.char), wide_less_narrow_6: ($at.wide_6.char - $at.narrow_6.char),
   coarse_less_narrow_6: ($at.coarse_6.char - $at.narrow_6.char)}
