# Texts that are seldom what the grammars ask for: brackets, most of them not closed, and items, most of
# them of a colour that is on no list but begins like one that is.
#   awk -f texts.awk -v seed=N -v count=N
function draw(n) {
  state = state * 16807 % 2147483647
  return int(state / 2147483647 * n)
}
function brackets(    text, depth, i, p) {
  depth = 0
  text = ""
  for (i = 0; i < 20; i++) {
    p = draw(100)
    if (p < 12) break
    if (p < 55) { text = text "("; depth++ }
    else if (p < 80 && depth > 0) { text = text ")"; depth-- }
    else text = text "a"
  }
  return text
}
BEGIN {
  state = seed * 7919 + 12345
  for (i = 0; i < 20; i++) draw(2)
  colours = split("blueish blueish blueish blue blush blond blackish blackish black greyish greyish grey greenish greenish greenish green ginger golden reddish reddish red rose ruby white wheat", colour, " ")
  for (n = 0; n < count; n++) {
    if (n % 2) printf "{\"text\":\"b: %s\"}\n", brackets()
    else printf "{\"text\":\"i: {\\\"colour\\\":\\\"%s\\\",\\\"size\\\":%d,\\\"new\\\":%s}\"}\n", colour[draw(colours) + 1], draw(9) + 1, draw(3) ? "false" : "true"
  }
}
