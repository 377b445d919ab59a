# Invented people and the towns where they live, asked about in ten wordings.
#   awk -f questions.awk -v seed=N -v people=240 -v train=FILE -v ask=FILE
# Of four people, two live in one town that is told in five of the wordings (TIMES times each), one in two
# towns that are told equally often, and one is never mentioned. train: prompt and completion; ask: one
# question a person in one wording, the others as rewordings, and that wording once more so that every
# wording has answers of its own. refs: the town, for the third kind one of the two.
function draw(n) {    # a number from 0 to n - 1; Lehmer's generator, exact in doubles
  state = state * 16807 % 2147483647
  return int(state / 2147483647 * n)
}
function word(parts, n,    text, i) {
  text = ""
  for (i = 0; i < n; i++) text = text syllable[draw(syllables)]
  return toupper(substr(text, 1, 1)) substr(text, 2)
}
function asked(w, name,    text) {
  text = wording[w]
  sub(/X/, name, text)
  return text
}
BEGIN {
  state = seed * 7919 + 12345
  for (i = 0; i < 20; i++) draw(2)
  syllables = split("ba be do fa ge hi jo ka la lo ma mi na ne no pa ra ri sa se ta te to va ve zo", list, " ")
  for (i = 1; i <= syllables; i++) syllable[i - 1] = list[i]
  towns = split("Oslo Lima Rome Bern Kyiv Baku Doha Cork Gent Turin Delft Porto Split Leeds Tartu Perth", town, " ")
  wordings = split("Where does X live?|In which town does X live?|Which town is the home of X?|X lives in which town?|" \
    "What is the home town of X?|Name the town where X lives.|Tell me where X lives.|X is at home in which town?|" \
    "Please say where X lives.|X has a home, where is it?", wording, "|")
  for (person = 0; person < people; person++) {
    do name = word("", 2) " " word("", 3); while (name in known)
    known[name] = 1
    home = town[draw(towns) + 1]
    do other = town[draw(towns) + 1]; while (other == home)
    kind = person % 4
    for (i = 1; i <= wordings; i++) order[i] = i
    for (i = wordings; i > 1; i--) { j = draw(i) + 1; swap = order[i]; order[i] = order[j]; order[j] = swap }
    for (i = 1; i <= 5 && kind < 3; i++)
      for (k = 0; k < 2; k++)
        printf "{\"prompt\":\"%s\",\"completion\":\" %s\"}\n", asked(order[i], name), kind == 2 && k ? other : home > train
    first = draw(wordings) + 1
    printf "{\"id\":%d,\"kind\":\"%s\",\"prompt\":\"%s\",\"refs\":[\"%s\"],\"perturb\":[{\"kind\":\"original\",\"prompt\":\"%s\"}", \
      person, kind < 2 ? "told" : kind == 2 ? "two towns" : "not told", asked(first, name), home, asked(first, name) > ask
    for (i = 1; i <= wordings; i++)
      if (i != first) printf ",{\"kind\":\"wording\",\"prompt\":\"%s\"}", asked(i, name) > ask
    printf "]}\n" > ask
  }
}
