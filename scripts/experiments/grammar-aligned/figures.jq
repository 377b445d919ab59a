# Distances of what was drawn from the true proportions: of each way of drawing and window of samples, and of
# draws from the true proportions themselves. Figures of one seed, and all windows.
include "stats";
def kept($masses): $masses | add as $all | map_values(. / $all);
def shares: reduce .[] as $text ({}; .[$text] += 1) | (add) as $all | map_values(. / $all);
# Total variation, and KL in nats, of a window from the true proportions.
def variation($true): shares as $own | [$true | to_entries[] | (.value - ($own[.key] // 0)) | fabs] | add / 2;
def divergence($true): shares | [to_entries[] | .value * ((.value / $true[.key]) | log)] | add;
# Lehmer's generator, exact in doubles.
def draws($true; $seed; $count):
  ($true | to_entries) as $texts
  | [foreach range($count + 20) as $i ($seed * 7919 + 12345; . * 16807 % 2147483647; . / 2147483647)][20:]
  | map(. as $u | [0, 0] | until(.[1] + $texts[.[0]].value > $u or .[0] + 1 == ($texts | length); [.[0] + 1, .[1] + $texts[.[0]].value])
    | $texts[.[0]].key);
def windows: . as $all | [range(0; length; $window) | {samples: ., texts: $all[. : . + $window]}];
[inputs] as $drawn
| [$asked | to_entries[] | .key as $at | .value.id as $id
  | ([.value.choices[] | rtrimstr("<|endoftext|>")]) as $texts
  | ([$texts, [$scored[$at].scores[].sum | exp]] | transpose | map({(.[0]): .[1]}) | add) as $mass
  | ([$mass[]] | add) as $z | ($mass | map_values(. / $z)) as $true
  | ([$drawn[] | select(.id == $id)]) as [$masked, $asap]
  | ([{how: "masking", of: $masked}, {how: "ASAp", of: $asap}]
    | map(.how as $how | .of | [.completions[].text] | windows[]
      | {grammar: $id, how: $how, samples, tv: (.texts | variation($true)), kl: (.texts | divergence($true))})) as $windows
  | draws($true; $seed; $window) as $exact
  | ([$windows[] | select(.how == "masking")]) as $m | ([$windows[] | select(.how == "ASAp")]) as $a
  | {windows: $windows, figures: ({masked_first: $m[0].tv, masked_last: $m[-1].tv, asap_first: $a[0].tv, asap_last: $a[-1].tv,
      exact: ($exact | variation($true))} | with_entries(.key |= "tv_\(.)_\($id)"))}
  | .figures += ({kl_masked_last: $m[-1].kl, kl_asap_last: $a[-1].kl, kl_exact: ($exact | divergence($true)),
      mass: $z, mass_held: $asap.completions[-1].asap.root_mass, reported: $asap.completions[-1].asap.distance,
      unseen: (1 - ([$asap.completions[].text] | unique | map($true[.]) | add))} | with_entries(.key |= "\(.)_\($id)"))]
| {figures: (map(.figures) | add), windows: (map(.windows) | add)}
