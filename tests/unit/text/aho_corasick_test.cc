#include "text/aho_corasick.h"

#include <algorithm>

#include "catch.h"
#include "core/hash.h"

using namespace lm;
using namespace lm::text;

namespace {

using Places = std::vector<std::pair<i64, i64>>;  // end, pattern

Places found(const AhoCorasick& automaton, std::string_view text) {
  Places out;
  automaton.find(text, [&](i64 pattern, i64 end) {
    out.emplace_back(end, pattern);
    return true;
  });
  return out;
}

}  // namespace

TEST_CASE("every place of every pattern is found, longest first at one end", "[text]") {
  const std::vector<std::string_view> patterns = {"he", "she", "his", "hers", "e"};
  const AhoCorasick automaton(patterns, false);
  CHECK(found(automaton, "ushers") == Places{{4, 1}, {4, 0}, {4, 4}, {6, 3}});
  CHECK(found(automaton, "xyz").empty());
  CHECK_FALSE(automaton.found_in("HIS"));
  CHECK(AhoCorasick(patterns, true).found_in("HIS"));
}

TEST_CASE("the automaton finds what a search for each pattern finds", "[text]") {
  const u64 seed = GENERATE(range(0, 40));
  u64 state = seed;
  const auto below = [&](u64 n) { return mix64(state += 0x9E3779B97F4A7C15ULL) % n; };
  std::vector<std::string> owned;
  for (u64 i = 0, n = 1 + below(8); i < n; ++i) {
    std::string& pattern = owned.emplace_back();
    for (u64 k = 0, size = 1 + below(4); k < size; ++k)
      pattern.push_back(static_cast<char>(below(10) == 0 ? 0xFF : 'a' + below(2)));
  }
  std::string text;
  for (int i = 0; i < 60; ++i)
    text.push_back(static_cast<char>(below(12) == 0 ? 0xFF : 'a' + below(3)));
  const std::vector<std::string_view> patterns(owned.begin(), owned.end());
  Places expected;
  for (std::size_t end = 1; end <= text.size(); ++end) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (std::string_view(text).substr(0, end).ends_with(patterns[i]))
        expected.emplace_back(static_cast<i64>(end), static_cast<i64>(i));
    }
  }
  Places places = found(AhoCorasick(patterns, false), text);
  std::sort(places.begin(), places.end());
  INFO("seed " << seed);
  CHECK(places == expected);
}

TEST_CASE("a set with all bytes has no column for others", "[text]") {
  std::vector<std::string> owned;
  for (int byte = 0; byte < 256; ++byte)
    owned.emplace_back(1, static_cast<char>(byte));
  const std::vector<std::string_view> patterns(owned.begin(), owned.end());
  CHECK(found(AhoCorasick(patterns, false), std::string_view("\0\xFF", 2)) ==
        Places{{1, 0}, {2, 255}});
}
