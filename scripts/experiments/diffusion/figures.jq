# Figures of one seed: held-out nats of a token, exact of next tokens and at most of hidden ones, by arm; how much
# more perplexity than next-token prediction has the others pay at most, in %.
([inputs] | map({(.arm): .nats}) | add) as $nats
| ($nats | with_entries(.key |= "nats_\(.)"))
+ ($nats | del(.ar, .longer) | with_entries({key: "over_\(.key)", value: (100 * ((.value - $nats.ar | exp) - 1))}))
