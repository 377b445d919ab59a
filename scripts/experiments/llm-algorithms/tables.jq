# Means over the seeds by size: errors as run and as predicted, and prompt tokens.
def curve($name; of): [.[].cells[] | {m, value: of}] | group_by(.m)
  | map({name: $name, m: .[0].m, error: (map(.value) | add / length)});
{curves: (($short | curve("trained to 20"; .error.run)) + ($short | curve("predicted"; .error.predicted.mean))
    + ($long | curve("trained to 100"; .error.run)) + ($long | curve("predicted, to 100"; .error.predicted.mean))),
 prompt_tokens: ([$short[0].cells[] | {key: "\(.m)", value: .prefill_tokens.run}] | from_entries)}
