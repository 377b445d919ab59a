# Of an arm's answers: means of both rewards, of the log-ratio to the beginning, of lengths; the share that consists
# of symbols, which alone have a gold reward. An answer that takes more tokens than the context when it is read again
# has no score.
{
  arm: ($ARGS.named.arm // null),
  gold: ([.[] | select(.check.feasible) | .check.objective] | add / length),
  proxy: (map(.reward | numbers) | add / length),
  kl: (map(select(.own and .first) | .own - .first) | add / length),
  length: (map(.completion | split(" ") | length) | add / length),
  feasible: ((map(select(.check.feasible)) | length) / length)
}
