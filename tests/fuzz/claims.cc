// A model's words for a solution: whatever they say, they are claims or a fault with its place, and
// what is found feasible is a solution that can be written.

#include "accord/claims.h"

#include <array>

#include "accord/automaton.h"
#include "accord/check.h"
#include "accord/solve.h"
#include "fuzz.h"

namespace {

using namespace lm;
using namespace lm::accord;

/// By problem; those of the corpus.
const std::array<Instance, 6> kInstances = {
    Knapsack{{{9, 2}, {20, 7}, {3, 3}}, 10},
    Binpack{{5, 4, 7, 3}, 10},
    Tsp{{{0, 0}, {5, 1}, {2, 7}, {9, 9}}},
    Vrp{{{0, 0}, {5, 1}, {2, 7}, {9, 9}}, {0, 3, 4, 5}, 8, 2},
    Jssp{{{{0, 3}, {1, 2}}, {{1, 4}, {0, 1}}}},
    Fssp{{{3, 2}, {1, 4}, {2, 2}}}};

}  // namespace

/// The first byte: the problem and the form.
extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t number = data[0] % kInstances.size();
  const std::array<std::optional<Format>, 3> forms = {std::nullopt, Format::kAccord,
                                                      Format::kLists};
  const std::optional<Format> form = forms[data[0] / kInstances.size() % forms.size()];
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  const Problem problem = static_cast<Problem>(number);
  const Result<Claims> claims = parse_claims(problem, text, form);
  if (!claims) {
    LM_CHECK(claims.fault().code == "form" && !claims.fault().detail.empty(), "what is wrong");
    LM_CHECK(claims.fault().offset <= static_cast<i64>(text.size()), "a place of the text");
  } else {
    LM_CHECK(!form || claims->format == *form, "the form that was asked for");
    i64 steps = 0;
    for (const Line& line : claims->lines)
      steps += isize(line.steps);
    LM_CHECK(steps <= static_cast<i64>(text.size()), "a step has a byte");
  }
  const Verdict verdict = check(kInstances[number], text, form);
  LM_CHECK(!verdict.feasible || claims, "a feasible text makes claims");
  if (!verdict.feasible) return 0;
  LM_CHECK(verdict.objective == objective_of(kInstances[number], verdict.solution),
           "its objective");
  const std::string again = render(kInstances[number], verdict.solution, verdict.format);
  const Verdict second = check(kInstances[number], again, verdict.format);
  LM_CHECK(second.feasible && second.solution == verdict.solution, "it can be written");
  return 0;
}
