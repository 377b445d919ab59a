# Figures of one seed from all answers: {way, order, id, answer, said}.
def right: . as $a | if .said.text | startswith($a.answer) then 1 else 0 end;
def mean: add / length;
[inputs] as $all
| ($all | map(select(.order == "given"))) as $given | ($all | map(select(.order == "reversed"))) as $reversed
| def of($way): [$given, $reversed] | map(map(select(.way == $way)));
  def changed($way): of($way) | transpose | map(if .[0].said.text == .[1].said.text then 0 else 1 end) | mean;
  def accuracy($way): of($way) | add | map(right) | mean;
  (of("plain") | transpose | map(map(right))) as $plain
| (["plain", "set", "positions", "mask", "sorted"] | map({("changed_\(.)"): changed(.)}) | add)
+ {accuracy_given: (of("plain")[0] | map(right) | mean), accuracy_reversed: (of("plain")[1] | map(right) | mean),
   accuracy_best: ($plain | map(max) | mean), accuracy_worst: ($plain | map(min) | mean), accuracy_set: accuracy("set"),
   accuracy_positions: accuracy("positions"), accuracy_mask: accuracy("mask"), accuracy_sorted: accuracy("sorted"),
   set_less_plain: (accuracy("set") - accuracy("plain")), set_less_worst: (accuracy("set") - ($plain | map(min) | mean)),
   same_bytes: (of("canonical") | transpose | map(if .[0].said == .[1].said then 1 else 0 end) | mean),
   largest_difference: (of("set") | transpose | map(select(.[0].said.text == .[1].said.text)
     | [map(.said.logprobs) | transpose[] | .[0] - .[1] | fabs] | max) | max)}
