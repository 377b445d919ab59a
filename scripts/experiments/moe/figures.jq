# Figures of one arm and seed: nats per symbol of other texts; deviation over mean of the experts' loads over the
# last tenth of the steps, the mean of the layers, and for the arm without balance that of the worse layer too.
def mean: add / length;
($steps | .[(length * 9 / 10 | floor):] | map(.moe_load_cv // [])) as $cv
| {("\($a)_loss"): -($scores | map(.score.logprobs[]) | mean)}
+ (if $cv[0] == [] then {} else {("\($a)_cv"): ($cv | map(mean) | mean)} end)
+ (if $a == "free" then {free_most_cv: ($cv | transpose | map(mean) | max)} else {} end)
