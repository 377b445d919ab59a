# Of one seed: bits per byte of clean held-out text, mean over its domains, of the base and of what was
# trained on each selection; what the selections are made of.
include "stats";
def of($arm): [$test[] | select(.model | test("\\.\($arm)(\\.trained)?/")) | [.domains[]] | mean]
  | if length == 1 then .[0] else error("\($arm): \(length) models") end;
def clean_in($arm): ($counts[0][$arm] | (.kinds.clean // 0) / .records);
$counts[0] as $of
| {base: of("base")}
+ ($arms | words | map({"trained_\(.)": of(.)}) | add)
+ {lowest_less_random: (of("lowest") - of("random")), lowest_less_all: (of("lowest") - of("all")),
   lowest_less_clean: (of("lowest") - of("clean")), rules_less_lowest: (of("rules") - of("lowest"))}
+ ($kinds | words | map({"kept_\(.)": (($of.lowest.kinds[.] // 0) / $of.all.kinds[.])}) | add)
+ {clean_in_pool: clean_in("all"), clean_in_lowest: clean_in("lowest"), clean_in_rules: clean_in("rules"),
   clean_in_zlib: clean_in("zlib"), copies_in_lowest: (1 - $of.lowest.texts / $of.lowest.records)}
