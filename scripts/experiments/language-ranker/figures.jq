# Figures of one seed: correlations of scores with shares, own and others', and what controls say.
include "stats";
def seen: map(select(.share != null));
def by_language: map({(.lang): .}) | add;
# How far a language's value of this seed is from its mean over the other seeds.
def change(value; $lang): ($own | by_language[$lang] | value)
  - ($others | map(by_language[$lang] | value) | mean);
# Mean place of the languages without a share, 1 is the best.
def unseen_place($score): ($own | map(-.[$score]) | ranks) as $places
  | [range($own | length) | select($own[.].share == null) | $places[.]] | mean;
($reports | map(.metrics.share_correlation)) as [$trained, $untrained, $no_model]
| ["cos", "corrected", "mexa"] as $scores
| ($own | seen | map(.lang)) as $languages
| (reduce $scores[] as $score ({};
    .["\($score)_spearman"] = $trained[$score].spearman
    | .["\($score)_pearson"] = $trained[$score].pearson
    | .["\($score)_spearman_other_shares"] = ([$others[] | by_language as $other
        | [$languages[] as $lang | [($own | by_language[$lang][$score]), $other[$lang].share]] | spearman] | mean)
    | .["\($score)_spearman_untrained"] = $untrained[$score].spearman
    | .["\($score)_spearman_no_model"] = $no_model[$score].spearman
    | .["\($score)_spearman_own_change"] =
        ([$languages[] as $lang | [change(.[$score]; $lang), change(.share | log; $lang)]] | spearman)))
+ {unseen_place_corrected: unseen_place("corrected"), unseen_place_mexa: unseen_place("mexa"),
   bits_per_byte_spearman: ($bpb[0].languages | map({(.language): .value}) | add as $bits
     | [$languages[] as $lang | [-$bits[$lang], ($own | by_language[$lang].share)]] | spearman)}
