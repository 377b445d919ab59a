# Figures of one seed: perplexity of the symbols that have between two numbers of others before them, of both models
# and of who knows the chain without the key; and the least, over those, that the drawn model lies above the latter,
# in nats.
def means(f): map(f) | length as $n | transpose | map(add / $n);
def buckets($arm; $means): [0] + $ends | [.[:-1], .[1:]] | transpose
  | map(. as [$from, $to] | {("\($arm)_\($to)"): ($means[$from:$to] | add / length | -. | exp)}) | add;
buckets("gaussian"; $gaussian | means(.score.logprobs)) as $own
| buckets("keyless"; $gaussian | means(.keyless_logprobs[1:])) as $best
| $own + buckets("learned"; $learned | means(.score.logprobs)) + $best
+ {excess: ([$ends[] | ($own["gaussian_\(.)"] | log) - ($best["keyless_\(.)"] | log)] | min)}
