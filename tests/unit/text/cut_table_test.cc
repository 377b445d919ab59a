#include "text/cut_table.h"

#include <set>
#include <tuple>

#include "catch.h"
#include "core/random.h"
#include "text/utf8.h"

namespace {

using lm::i64;
using lm::u64;
namespace text = lm::text;

/// The definition: some token holds an end of left and a beginning of right side by side.
class Joins {
 public:
  void add(const std::string& token) {
    for (std::size_t at = 1; at < token.size(); ++at) {
      for (std::size_t left = 1; left <= std::min<std::size_t>(4, at); ++left) {
        for (std::size_t right = 1; right <= std::min<std::size_t>(4, token.size() - at); ++right)
          seen_.insert({token.substr(at - left, left), token.substr(at, right), at == left,
                        at + right == token.size()});
      }
    }
  }
  bool operator()(const std::string& left, const std::string& right) const {
    for (std::size_t l = 1; l <= left.size(); ++l) {
      for (std::size_t r = 1; r <= right.size(); ++r) {
        // A part of a character stands at the token's end.
        for (const bool first : {false, true}) {
          for (const bool last : {false, true}) {
            if (l < left.size() && !first) continue;
            if (r < right.size() && !last) continue;
            const Join join{left.substr(left.size() - l), right.substr(0, r), first, last};
            if (seen_.contains(join)) return true;
          }
        }
      }
    }
    return false;
  }

 private:
  using Join = std::tuple<std::string, std::string, bool, bool>;
  std::set<Join> seen_;
};

std::string character(const lm::RandomStream& random, u64& draw) {
  static const std::vector<std::pair<char32_t, char32_t>> kRanges = {
      {'a', 'd'},       {' ', ' '},       {0xE0, 0xE4},       {0x430, 0x436},     {0x4E00, 0x4E06},
      {0x3040, 0x3044}, {0x2581, 0x2581}, {0x1F600, 0x1F606}, {0x10000, 0x10003}, {0xFFFC, 0xFFFD}};
  const auto [first, last] = kRanges[random.below(draw++, kRanges.size())];
  std::string out;
  text::append_utf8(out, first + static_cast<char32_t>(random.below(draw++, last - first + 1)));
  return out;
}

}  // namespace

TEST_CASE("text is cut nowhere that a token reaches over, and nearly everywhere else", "[text]") {
  for (const bool parts : {false, true}) {  // tokens that begin or end inside a character
    i64 needless = 0;
    i64 apart = 0;
    for (u64 seed = 0; seed < 40; ++seed) {
      const lm::RandomStream random(seed, lm::RandomPurpose::kOther, parts ? 1 : 0);
      u64 draw = 0;
      text::Vocab vocab;
      Joins joins;
      for (int i = 0; i < 30; ++i) {
        std::string token;
        for (u64 n = 1 + random.below(draw++, 3); n > 0; --n)
          token += character(random, draw);
        if (parts) {
          token.erase(0, random.below(draw++, token.size()));
          token.resize(token.size() - random.below(draw++, std::min<u64>(3, token.size())));
        }
        vocab.add(token, vocab.id_limit());
        joins.add(token);
      }
      const text::CutTable cuts(vocab);
      for (int i = 0; i < 2000; ++i) {
        const std::string left = character(random, draw);
        const std::string right = character(random, draw);
        const bool cut = cuts.next_cut(left + right, 0) == lm::isize(left);
        INFO("seed " << seed << ": " << left << " | " << right);
        if (joins(left, right)) {
          REQUIRE_FALSE(cut);
        } else {
          ++apart;
          needless += cut ? 0 : 1;
        }
      }
    }
    INFO(needless << " of " << apart << " places");
    CHECK(needless * 10 < apart);  // the table has 16 bits or more a pair
  }
}

TEST_CASE("pairs of ASCII characters are told exactly", "[text]") {
  text::Vocab vocab;
  for (const char* token : {"ab", "bc", "a\x7F", "@[", "  "})
    vocab.add(token, vocab.id_limit());
  const text::CutTable cuts(vocab);
  for (int left = 1; left < 128; ++left) {
    for (int right = 1; right < 128; ++right) {
      const std::string pair = {static_cast<char>(left), static_cast<char>(right)};
      CHECK((cuts.next_cut(pair, 0) == 2) == (vocab.find(pair) >= 0));
    }
  }
  CHECK(cuts.next_cut("abcab", 0) == 3);
  CHECK(cuts.next_cut("abcab", 3) == 5);
  CHECK(cuts.next_cut("a", 0) == 1);
}
