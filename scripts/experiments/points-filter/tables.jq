# Records of each kind in every selection, means over the seeds; bits per byte by domain.
include "stats";
{records: ($counts | map(to_entries) | add | group_by(.key) | map({(.[0].key): {
    kinds: (map(.value.kinds | to_entries) | add | group_by(.key) | map({(.[0].key): (map(.value) | add / ($counts | length))}) | add),
    texts: (map(.value.texts) | mean)}}) | add)}
+ $domains[0]
