#include "decode/own_examples.h"

#include <algorithm>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"

namespace {

using namespace lm;
using namespace lm::decode;

OwnExamples ten(bool backwards) {
  OwnExamples out;
  for (int i = 0; i < 10; ++i) {
    const int n = backwards ? 9 - i : i;
    out.add(cat("q", n), cat("how much is ", n), cat("<", n, ">"));
  }
  return out;
}

ExampleLayout short_layout() {
  return {.whole = "{examples}|{prompt}", .example = "{prompt}={answer};"};
}

std::string shown(const OwnExamples& own, const std::string& id, i64 count) {
  return own.prompt(short_layout(), id, own.pick(id, count));
}

}  // namespace

TEST_CASE("examples never answer the question, and none answers the same twice", "[decode]") {
  const OwnExamples own = ten(false);
  for (int i = 0; i < 12; ++i) {
    const std::string id = cat("q", i);
    for (const i64 count : {0, 1, 3, 9, 10, 50}) {
      std::vector<i64> picked = own.pick(id, count);
      CHECK(isize(picked) == std::min<i64>(count, i < 10 ? 9 : 10));
      std::sort(picked.begin(), picked.end());
      CHECK(std::adjacent_find(picked.begin(), picked.end()) == picked.end());
      if (i < 10) CHECK(std::find(picked.begin(), picked.end(), i) == picked.end());
    }
  }
  OwnExamples twice;
  twice.add("a", "p", "1");
  twice.add("a", "p", "2");
  twice.add("b", "p", "3");
  CHECK(twice.pick("c", 3).size() == 2);
  CHECK(twice.pick("a", 3).size() == 1);
  CHECK(OwnExamples{}.pick("a", 3).empty());
}

TEST_CASE("what is shown depends on the set of examples alone", "[decode]") {
  const OwnExamples one = ten(false);
  const OwnExamples other = ten(true);
  CHECK(one.digest() == other.digest());
  CHECK(one.digest() != OwnExamples{}.digest());
  for (int i = 0; i < 10; ++i)
    CHECK(shown(one, cat("q", i), 3) == shown(other, cat("q", i), 3));
  // Questions start at different places, so all examples are shown to someone.
  std::vector<i64> seen;
  for (int i = 0; i < 40; ++i) {
    const std::vector<i64> picked = one.pick(cat("x", i), 2);
    seen.insert(seen.end(), picked.begin(), picked.end());
  }
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  CHECK(seen.size() == 10);
}

TEST_CASE("the oldest example stands first, and values are no places", "[decode]") {
  const OwnExamples own = ten(false);
  const std::string three = shown(own, "q0", 3);
  const std::string two = shown(own, "q0", 2);
  CHECK(std::count(three.begin(), three.end(), ';') == 3);
  CHECK(three.ends_with(two));  // a short context takes the oldest away
  CHECK(three.ends_with("|q0"));
  OwnExamples odd;
  odd.add("a", "{answer}", "{prompt}{examples}");
  CHECK(odd.prompt(short_layout(), "{examples}", odd.pick("b", 1)) ==
        "{answer}={prompt}{examples};|{examples}");
  CHECK_THROWS_AS((ExampleLayout{.whole = "{prompt}"}.check()), Error);
  CHECK_THROWS_AS((ExampleLayout{.example = "{answer}"}.check()), Error);
  CHECK_NOTHROW(ExampleLayout{}.check());
}
