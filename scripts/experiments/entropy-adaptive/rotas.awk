# Rotas to be learned by heart: where each of twelve people is in a week. In one half of a week's rota all are where
# they are in every week, in the other half anywhere; which half comes first differs.
#   awk -f rotas.awk -v seed=N -v weeks=N -v times=N -v train=FILE -v ask=FILE
# train: the week as prompt, the rota without one person in five as completion, TIMES times; ask: the prompt once,
# with all towns, and for each whether it is one of the second kind.
function draw(n) {    # a number from 0 to n - 1; Lehmer's generator, exact in doubles
  state = state * 16807 % 2147483647
  return int(state / 2147483647 * n)
}
BEGIN {
  state = seed * 7919 + 12345
  for (i = 0; i < 20; i++) draw(2)
  people = split("Ann Bob Cid Dora Ed Fay Gus Hal Ida Jim Kay Lou", person, " ")
  towns = split("Oslo Lima Rome Bern Kyiv Baku Doha Cork Gent Turin Delft Porto Split Leeds Tartu Perth", town, " ")
  for (i = 1; i <= people; i++) home[i] = town[draw(towns) + 1]
  for (w = 0; w < weeks; w++) {
    hard = draw(2)    # the first half, or the second
    list = kinds = ""
    for (i = 1; i <= people; i++) {
      anywhere = (i <= people / 2) == hard
      at = anywhere ? town[draw(towns) + 1] : home[i]
      where[w, i] = at
      list = list (i > 1 ? "," : "") "\"" at "\""
      kinds = kinds (i > 1 ? "," : "") (anywhere ? 1 : 0)
    }
    printf "{\"id\":%d,\"prompt\":\"Week %d:\",\"towns\":[%s],\"hard\":[%s]}\n", w, w, list, kinds > ask
  }
  for (t = 0; t < times; t++)
    for (w = 0; w < weeks; w++) {
      rota = ""
      for (i = 1; i <= people; i++)
        if (draw(5)) rota = rota " " person[i] " " where[w, i]
      printf "{\"prompt\":\"Week %d:\",\"completion\":\"%s.\"}\n", w, rota > train
    }
}
