#include "once.h"

#include <algorithm>
#include <tuple>

#include "core/str.h"

namespace lm::uq_tool {

void check_once(cli::Tool& tool, std::vector<QuestionPlace> places) {
  const auto question = [](const QuestionPlace& p) { return std::tie(p.id, p.temperature); };
  // Stable: of equal ones the first stays the first.
  std::stable_sort(
      places.begin(), places.end(),
      [&](const QuestionPlace& a, const QuestionPlace& b) { return question(a) < question(b); });
  const auto twice = std::adjacent_find(
      places.begin(), places.end(),
      [&](const QuestionPlace& a, const QuestionPlace& b) { return question(a) == question(b); });
  if (twice == places.end()) return;
  const auto where = [&](const QuestionPlace& p) {
    return cat(tool.input().name(p.input), ":", p.line);
  };
  throw Error(ErrorKind::kData,
              cat(where(twice[1]), ": the id ", quote(twice->id),
                  " stands twice at one temperature, first in ", where(*twice)),
              "every question counts once");
}

}  // namespace lm::uq_tool
