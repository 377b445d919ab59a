# Pairs of all seeds, from files scores/SEED.jsonl: mean loss over the held-out sets of the mean of two
# models, of a model trained on both, and of the two alone.
def mean: add / length;
[inputs | . + {seed: (input_filename | match("/([0-9]+)[.]").captures[0].string | tonumber)}] as $all
| {pairs: [$all | map(select(.kind != "single")) | group_by([.seed, .set])[]
    | . as $rows | {seed: .[0].seed, set: .[0].set,
       merged: ($rows | map(select(.kind == "merged") | .nll) | mean),
       trained: ($rows | map(select(.kind == "trained") | .nll) | mean),
       alone: ($all | map(select(.kind == "single" and .seed == $rows[0].seed
                                 and (.set[0] as $one | $rows[0].set | index($one))) | .nll) | mean)}]}
