# Ranks of all seeds, from files rank/SEED.trained.jsonl.
[inputs | {seed: (input_filename | match("/([0-9]+)[.]").captures[0].string | tonumber), lang, share,
           cos, corrected, mexa, pairs}]
| {languages: map(del(.pairs)), sentences: (map(.pairs) | min)}
