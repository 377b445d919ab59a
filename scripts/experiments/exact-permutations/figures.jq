# Figures of one seed: networks until 90 % of inputs stay right, their growth with k; of trained networks the mean
# outputs beside the formula's in standard errors, the variance as a share of it, and the inputs that are right.
def log_slope: map([(.[0] | log), (.[1] | log)]) as $xy | ($xy | length) as $n
  | ($xy | map(.[0]) | add / $n) as $mx | ($xy | map(.[1]) | add / $n) as $my
  | ($xy | map((.[0] - $mx) * (.[1] - $my)) | add) / ($xy | map(.[0] - $mx | . * .) | add);
[inputs] as $all
| [$all[] | select(.seen and .method == "draw")] as $drawn
| [$all[] | select(.seen and .method == "train")] as $trained
| ($drawn | map({("needed_\(.k)"): .seen.needed}) | add)
+ {slope: ($drawn | map([.k, .seen.needed]) | log_slope),
   accuracy_needed: ([$drawn[] as $d | $all[] | select(.networks == $d.needed and .from == $d.from) | .accuracy] | add / length)}
+ ($trained | map({("on_\(.scaling)_\(.k)"): ((.seen.mean_on - .mean_on) / .seen.mean_on_error),
    ("off_\(.scaling)_\(.k)"): ((.seen.mean_off - .mean_off) / .seen.mean_off_error),
    ("spread_\(.scaling)_\(.k)"): (.seen.variance / .variance)}) | add)
+ ([$trained[] as $t | $all[] | select(.from == $t.from and .networks) | {key: "right_\($t.scaling)_\($t.k)", value: .accuracy}]
   | from_entries)
