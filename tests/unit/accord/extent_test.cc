#include "accord/extent.h"

#include <set>

#include "catch.h"
#include "random_instances.h"

using namespace lm;
using namespace lm::accord;

TEST_CASE("Texts of solutions are of the bytes and within the length that are said", "[accord]") {
  for (const Problem problem : accord::test::kProblems)
    for (const Format format : {Format::kAccord, Format::kLists}) {
      std::set<char> seen;
      f64 closest = 0;
      for (i64 number = 0; number < 300; ++number) {
        const Instance instance = accord::test::random_instance(problem, number, 14);
        Draws draws(5, "extent", number);
        const Result<Solution> solution = random_feasible(instance, draws);
        REQUIRE(solution);
        const std::string text = render(instance, *solution, format);
        seen.insert(text.begin(), text.end());
        const i64 most = most_bytes(instance, format);
        CHECK(isize(text) <= most);
        closest = std::max(closest, static_cast<f64>(text.size()) / static_cast<f64>(most));
      }
      CHECK(closest > 0.3);  // a bound that says something
      const std::string_view bytes = bytes_of(problem, format);
      CHECK(seen == std::set<char>(bytes.begin(), bytes.end()));
    }
}
