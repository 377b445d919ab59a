# Of an arm's answers: means of both rewards, of the log-ratio to the beginning, of lengths; the share that consists
# of symbols, which alone have a gold reward.
{
  arm: ($ARGS.named.arm // null),
  gold: ([.[] | select(.check.feasible) | .check.objective] | add / length),
  proxy: (map(.reward) | add / length),
  kl: (map(.own - .first) | add / length),
  length: (map(.completion | split(" ") | length) | add / length),
  feasible: ((map(select(.check.feasible)) | length) / length)
}
