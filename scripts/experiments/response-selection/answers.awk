# Sums of three numbers, each answered by eight strategies, and what a model learned before it is asked.
#   awk -f answers.awk -v seed=N -v documents=N -v questions=N -v tests=N -v base=FILE -v candidates=FILE -v test=FILE
# base: documents of one to four sums (two in sentences) of two or three numbers in one manner: 3 of 5 step by step, 1 of 5 from the
# last number on, 1 of 5 in sentences. candidates: every question with the answer of each strategy; test: other questions.
function draw(n) {    # a number from 0 to n - 1; Lehmer's generator, exact in doubles
  state = state * 16807 % 2147483647
  return int(state / 2147483647 * n)
}
function ask(n,    i, text) {
  for (i = 1; i <= n; i++) x[i] = 1 + draw(9)
  text = x[1]
  for (i = 2; i <= n; i++) text = text "+" x[i]
  return text ":"
}
# The running sum: form has A, B and S for the two parts and their sum. slip: the step that goes wrong.
function steps(n, form, between, slip,    i, sum, part, text) {
  sum = x[1]
  for (i = 2; i <= n; i++) {
    part = form
    sub(/A/, sum, part)
    sub(/B/, x[i], part)
    sum += x[i]
    if (i == slip) sum += 1 + draw(3)
    sub(/S/, sum, part)
    text = text (i > 2 ? between : "") part
  }
  total = sum
  return text
}
function backward(n,    i, sum, text) {
  sum = x[n]
  for (i = n - 1; i > 0; i--) {
    text = text x[i] "+" sum "=" x[i] + sum " "
    sum += x[i]
  }
  return text
}
function word(n) { return n < 20 ? small[n] : ten[int(n / 10)] (n % 10 ? " " small[n % 10] : "") }
function spelt(n,    i, sum, text) {
  sum = x[1]
  for (i = 2; i <= n; i++) {
    text = text word(sum) " plus " word(x[i]) " is " word(sum + x[i]) ", "
    sum += x[i]
  }
  return text
}
function answer(how, n,    plain) {
  plain = steps(n, "A+B=S", " ", 0)
  if (how == "steps") return plain " #" total
  if (how == "backward") return backward(n) "#" total
  if (how == "verbose") return "let us add one by one: " steps(n, "A+B=S", ", then ", 0) ", so the sum is #" total
  if (how == "formal") return steps(n, "(A;B)->S", " ", 0) " #" total
  if (how == "words") return spelt(n) "#" total
  if (how == "direct") return "#" total
  if (how == "after") return "#" total " because " plain
  if (how == "slips") return steps(n, "A+B=S", " ", draw(2) ? 2 + draw(n - 1) : 0) " #" total
}
BEGIN {
  state = seed * 7919 + 12345
  for (i = 0; i < 20; i++) draw(2)
  split("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", small, " ")
  split("ten twenty thirty forty", ten, " ")
  strategies = split("steps backward verbose formal words direct after slips", strategy, " ")
  for (d = 0; d < documents; d++) {
    how = strategy[d % 5 < 3 ? 1 : d % 5 - 1]
    sums = 1 + draw(how == "verbose" ? 2 : 4)
    for (k = 1; k <= sums; k++) {
      n = 2 + draw(2)
      q = ask(n)
      if (k == 1) printf "{\"prompt\":\"%s\",\"completion\":\"", q > base
      printf "%s %s\\n", (k == 1 ? "" : q), answer(how, n) > base
    }
    print "\"}" > base
  }
  for (id = 0; id < questions + tests; id++) {
    do q = ask(3); while (q in known)
    known[q] = 1
    if (id < questions)
      for (s = 1; s <= strategies; s++)
        printf "{\"id\":%d,\"strategy\":\"%s\",\"prompt\":\"%s\",\"answer\":\" %s\\n\"}\n", id, strategy[s], q, answer(strategy[s], 3) > candidates
    else {
      answer("steps", 3)
      printf "{\"id\":%d,\"prompt\":\"%s\",\"sum\":%d}\n", id, q, total > test
    }
  }
}
