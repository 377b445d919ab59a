# Share of right answers by the place of the right option, over all seeds; and how often it stands there.
def right: . as $a | if .said.text | startswith($a.answer) then 1 else 0 end;
{by_place: ([inputs | select(.order == "given")] | group_by([.way, .place])
  | map({way: .[0].way, place: .[0].place, questions: length, right: (map(right) | add / length)}))}
