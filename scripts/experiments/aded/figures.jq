# Figures of one seed: tokens that a pass emits by each drafter (one without guesses: each pass draws one, and
# each guess that is right saves a pass), rows of a pass, processor time without guesses over that with them.
def time($draft; $set): [$times[] | select(.draft == $draft and .set == $set) | .cpu_s] | min;
def passes: .generated_tokens - .draft_tokens;
($counts | map({("tokens_\(.what)"): (.generated_tokens / passes)}) | add)
+ ([$counts[] | select(.what == "aded_greedy" or .what == "aded_sampled") | {("rows_\(.what)"): ((.draft_rows + passes) / passes)}] | add)
+ {same: ([$same[]] | add / length)}
+ ([("greedy", "sampled") as $set | ("aded", "prompt-lookup") as $draft
  | {("time_\($draft | gsub("-"; "_"))_\($set)"): (time("none"; $set) / time($draft; $set))}] | add)
