# results.json to the lines that README.md quotes: figure, mean over repetitions and 95 % interval.
def text: if . == null then "-" else . * 1000 | round | if . == 0 then "0" else . / 1000 | tostring end end;
(.figures | to_entries[] | "| `\(.key)` | \(.value.mean | text) [\(.value.low | text), \(.value.high | text)] |"),
"cost: \(.cost.cpu_s | round) s of processor time, \(.cost.commands) commands"
