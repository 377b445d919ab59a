# jq -cs --arg source NAME -f demo_cloze.jq DOCUMENTS: questions on how a passage of thirty words goes
# on. Its own next ten words stand beside those of three other passages, the right ones in turn first,
# second, third and fourth.
[.[] | select(.source == $source) | [.text | split("\n")[] | split(" ")[] | select(. != "")] as $words
  | range(0; ($words | length) - 40; 60)
  | {context: ($words[. : . + 30] | join(" ")), next: ($words[. + 30 : . + 40] | join(" "))}] as $all
| ($all | length) as $n
| range($n)
| (. % 4) as $gold
| [$all[(., . + 7, . + 19, . + 31) % $n].next] as $choices
| {context: $all[.].context, choices: ($choices[4 - $gold :] + $choices[: 4 - $gold]), gold: $gold}
