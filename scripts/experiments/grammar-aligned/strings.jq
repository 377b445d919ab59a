# All strings of the two grammars, each ended, as choices of a record to score.
def repeat_up($n): if $n == 0 then [""] else . as $one | [""] + [$one[] as $a | ($one | repeat_up($n - 1))[] as $b | $a + $b] | unique end;
(["a"] + ((["a"] | repeat_up(2)) | map("(" + . + ")"))) as $two
| (["a"] + (($two | repeat_up(2)) | map("(" + . + ")"))) as $one
| {id: "brackets", prompt: "b: ", choices: [$one[] as $a | ("", $one[]) as $b | $a + $b]},
  {id: "item", prompt: "i: ", choices: [("blue", "black", "blush", "grey", "green", "red", "golden") as $c | (1, 2, 3) as $s | (true, false) as $n
    | "{\"colour\":\"\($c)\",\"size\":\($s),\"new\":\($n)}"]}
| .choices |= (unique | map(. + "<|endoftext|>"))
