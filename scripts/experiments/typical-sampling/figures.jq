# Figures of one seed from its texts: {way, ids, nats}. rep4: per cent of runs of four tokens that stood before in the
# same text; distinct2: different pairs of tokens in per cent of all, of all texts of a way (as many of each);
# zipf: minus the slope of ln frequency by ln rank; nats: mean surprise under the model.
include "stats";
def grams($n): . as $ids | [range(0; length - $n + 1) | $ids[. : . + $n] | tostring];
def repeated: grams(4) | 1 - (unique | length) / length;
def distinct: [.[] | grams(2)[]] | (unique | length) / length;
def zipf: [.[][]] | group_by(.) | map(length) | sort | reverse | to_entries | map([(.key + 1 | log), (.value | log)])
  | (map(.[0]) | mean) as $x | (map(.[1]) | mean) as $y
  | -(map((.[0] - $x) * (.[1] - $y)) | add) / (map(.[0] - $x | . * .) | add);
([inputs] | group_by(.way) | map({key: .[0].way, value: .}) | from_entries) as $ways
| ([$ways[] | length] | min) as $count
| ($ways | map_values({rep4: (100 * (map(.ids | repeated) | mean)), distinct2: (100 * (.[:$count] | map(.ids) | distinct)),
    zipf: (.[:$count] | map(.ids) | zipf), nats: (map(.nats) | mean)})) as $all
| ([$all | to_entries[] | .key as $way | .value | to_entries[] | {("\(.key)_\($way)"): .value}] | add)
+ ([["typical_95", "top_p_95"], ["typical_20", "top_p_90"], ["typical_20", "top_k_40"]] | map(. as [$a, $b] | ("rep4", "distinct2") as $what
  | {("\($what)_\($a)_less_\($b)"): ($all[$a][$what] - $all[$b][$what])}) | add)
