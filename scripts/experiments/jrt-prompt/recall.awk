# Lists of things, and the question which of them is of a kind.
#   awk -f recall.awk -v seed=N -v least=N -v most=N -v documents=N [-v from=N]
# Records with context, question and kind, as lm-decode and lm-eval read them, and the answer, how many things there
# are and which of them is asked for (from 1). No two things of a list are of one kind. from: number of the first.
function draw(n) {    # a number from 0 to n - 1; Lehmer's generator, exact in doubles
  state = state * 16807 % 2147483647
  return int(state / 2147483647 * n)
}
BEGIN {
  state = seed * 7919 + 12345 + from * 101
  for (i = 0; i < 20; i++) draw(2)
  kinds = split("animal cloth colour drink fruit metal tool vessel", name, " ")
  all["animal"] = "horse cow dog sheep"
  all["cloth"] = "shirt coat scarf glove"
  all["colour"] = "red blue green white"
  all["drink"] = "tea milk beer wine"
  all["fruit"] = "apple pear plum fig"
  all["metal"] = "iron gold tin zinc"
  all["tool"] = "hammer saw drill rake"
  all["vessel"] = "ship boat ferry canoe"
  for (n = from; n < from + documents; n++) {
    things = least + draw(most - least + 1)
    for (i = 1; i <= things; i++) {
      j = i + draw(kinds - i + 1)
      other = name[i]; name[i] = name[j]; name[j] = other
      of = split(all[name[i]], word, " ")
      thing[i] = word[1 + draw(of)]
    }
    asked = 1 + draw(things)
    printf "{\"id\":\"%d %s\",\"context\":\"Here", n, thing[asked]
    for (i = 1; i <= things; i++) printf " %s", thing[i]
    printf "\",\"question\":\"%s\",\"kind\":\"attribute\",\"answer\":\"%s\",\"things\":%d,\"place\":%d}\n", name[asked], thing[asked], things, asked
  }
}
