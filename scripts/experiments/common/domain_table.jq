# Lines {model, domains} of all seeds to a table: model without the seed, domain, mean over seeds.
include "stats";
def kind: .model | gsub("(?<before>^|/)[0-9]+\\."; "\(.before)");
group_by(kind) | map({(.[0] | kind): (map(.domains | to_entries) | add | group_by(.key)
  | map({(.[0].key): (map(.value) | mean)}) | add)}) | {bits_per_byte: add}
