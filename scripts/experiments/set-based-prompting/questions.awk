# Questions of choice: which of two to four words is of a kind, of which the right one mostly stands first.
#   awk -f questions.awk -v seed=N -v train=FILE -v questions=N -v ask=FILE -v asked=N
# train: prompt and completion; ask: the prompt as pieces with a set of options, and the answer. No question that
# is asked has been trained on, in any order.
function draw(n) {    # a number from 0 to n - 1; Lehmer's generator, exact in doubles
  state = state * 16807 % 2147483647
  return int(state / 2147483647 * n)
}
function question(    i, j, other, key, p, swap) {
  kind = draw(kinds)
  do {
    count = 2 + draw(3)
    option[0] = word[kind, draw(words)]
    key = option[0]
    for (i = 1; i < count; i++) {
      do { do other = draw(kinds); while (other == kind); option[i] = word[other, draw(words)]; p = 1; for (j = 0; j < i; j++) if (option[j] == option[i]) p = 0 } while (!p)
      key = key < option[i] ? key " " option[i] : option[i] " " key
    }
    key = name[kind] " " key
  } while (key in known)
  right = option[0]
  p = draw(10)
  place = p < 5 ? 0 : p < 8 ? 1 : draw(count)
  if (place >= count) place = count - 1
  option[0] = option[place]
  option[place] = right
  return key
}
BEGIN {
  state = seed * 7919 + 12345
  for (i = 0; i < 20; i++) draw(2)
  kinds = split("colour animal tool meal cloth", list, " ")
  for (i = 1; i <= kinds; i++) name[i - 1] = list[i]
  all[0] = "red blue green white black brown pink grey violet orange yellow golden silver purple crimson scarlet"
  all[1] = "horse cow dog cat sheep goat lion tiger bear wolf fox hare mouse eagle raven snake"
  all[2] = "hammer saw drill chisel pliers wrench spade rake axe knife needle brush file anvil shovel hoe"
  all[3] = "soup bread pie stew salad porridge omelette curry pasta pudding cake toast broth roast pancake dumpling"
  all[4] = "shirt coat hat scarf glove shoe sock belt dress skirt apron cloak vest jacket boot robe"
  for (i = 0; i < kinds; i++) {
    words = split(all[i], list, " ")
    for (j = 1; j <= words; j++) word[i, j - 1] = list[j]
  }
  for (n = 0; n < asked; n++) {
    known[question()] = 1
    printf "{\"id\":%d,\"prompt\":[\"Which is a %s?\",{\"set\":[", n, name[kind] > ask
    for (i = 0; i < count; i++) printf "%s\" %s;\"", i ? "," : "", option[i] > ask
    printf "]},\" Answer:\"],\"answer\":\" %s\",\"place\":%d}\n", right, place > ask
  }
  for (n = 0; n < questions; n++) {
    question()
    printf "{\"prompt\":\"Which is a %s?", name[kind] > train
    for (i = 0; i < count; i++) printf " %s;", option[i] > train
    printf " Answer:\",\"completion\":\" %s\"}\n", right > train
  }
}
