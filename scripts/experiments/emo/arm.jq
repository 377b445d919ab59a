# Of one arm: what its batches of held-out text cost, and how often its texts repeat a token.
def mean: add / length;
{arm: $arm, transport: ($held | map(.transport) | mean), ppl: ($held | map(.ce) | mean | exp),
 repeats: ($texts | map(100 * (1 - (unique | length) / length)) | mean)}
