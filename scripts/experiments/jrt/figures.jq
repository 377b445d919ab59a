# Figures of one seed: right answers of each model by the sizes of the sets, what reading twice adds to reading once,
# what softmax adds, and the least gain on the long sets.
def right($arm; $answers): $answers | group_by(.sizes)
  | map({("\($arm)_\(.[0].sizes)"): (map(if .completions[0].tokens[0] == .answer then 1 else 0 end) | add / length)}) | add;
right("causal"; $causal) + right("pla"; $pla) + right("softmax"; $softmax)
| . + (. as $f | ["2_16", "16_2", "4_32", "32_4"] | map({("gain_\(.)"): ($f["pla_\(.)"] - $f["causal_\(.)"])}) | add)
| . + (. as $f | ["4_32", "32_4"] | map({("state_\(.)"): ($f["softmax_\(.)"] - $f["causal_\(.)"])}) | add)
| . + {least_gain: ([.gain_4_32, .gain_32_4] | min)}
