# Figures of one seed: perplexity of the symbols that have between two numbers of others before them, of both models
# and of who knows the chain without the key; what the drawn model lies above that least, in nats; answers right.
def means($rows): ($rows | length) as $n | $rows | transpose | map(add / $n);
def buckets($arm; $means): [0] + $ends | [.[:-1], .[1:]] | transpose
  | map(. as [$from, $to] | {("\($arm)_\($to)"): ($means[$from:$to] | add / length | -. | exp)}) | add;
def lookups($arm; $answers): def right: (map(select(.score.greedy)) | length) / length;
  {("lookup_\($arm)"): ($answers | map(select(.unseen | not)) | right), ("unseen_\($arm)"): ($answers | map(select(.unseen)) | right)};
buckets("gaussian"; means($gaussian | map(.score.logprobs))) as $own
| buckets("keyless"; means($gaussian | map(.keyless_logprobs[1:]))) as $best
| $own + buckets("learned"; means($learned | map(.score.logprobs))) + $best
+ {excess: ([$ends[] | ($own["gaussian_\(.)"] | log) - ($best["keyless_\(.)"] | log)] | min)}
+ lookups("gaussian"; $by_gaussian) + lookups("learned"; $by_learned)
