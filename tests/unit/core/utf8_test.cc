#include "core/utf8.h"

#include "catch.h"

using lm::i64;

namespace {

/// Table 3-7 of the Unicode standard, row by row: lead range, then the ranges of what follows.
bool well_formed(const std::string& s) {
  const auto in = [&s](std::size_t at, int low, int high) {
    const int b = at < s.size() ? static_cast<unsigned char>(s[at]) : -1;
    return b >= low && b <= high;
  };
  if (s.size() == 1) return in(0, 0x00, 0x7F);
  if (s.size() == 2) return in(0, 0xC2, 0xDF) && in(1, 0x80, 0xBF);
  if (s.size() == 3) {
    return in(2, 0x80, 0xBF) &&
           ((in(0, 0xE0, 0xE0) && in(1, 0xA0, 0xBF)) || (in(0, 0xE1, 0xEC) && in(1, 0x80, 0xBF)) ||
            (in(0, 0xED, 0xED) && in(1, 0x80, 0x9F)) || (in(0, 0xEE, 0xEF) && in(1, 0x80, 0xBF)));
  }
  return in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) &&
         ((in(0, 0xF0, 0xF0) && in(1, 0x90, 0xBF)) || (in(0, 0xF1, 0xF3) && in(1, 0x80, 0xBF)) ||
          (in(0, 0xF4, 0xF4) && in(1, 0x80, 0x8F)));
}

}  // namespace

TEST_CASE("one decoded character is valid exactly where the table says so", "[core]") {
  // Every lead byte with continuation bytes at and beside the borders of the table's ranges.
  const int followers[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
  i64 good = 0;
  for (int lead = 0; lead < 256; ++lead) {
    for (const int b : followers) {
      for (const int c : followers) {
        for (const int d : followers) {
          const int bytes[] = {lead, b, c, d};
          std::string s;
          for (const int byte : bytes)
            s.push_back(static_cast<char>(byte));
          const lm::Decoded one = lm::decode_at(s, 0);
          bool any = false;
          for (std::size_t n = 1; n <= 4; ++n)
            any = any || well_formed(s.substr(0, n));
          REQUIRE(one.valid == any);
          if (!any) continue;
          ++good;
          const std::string character = s.substr(0, lm::usize(one.size));
          REQUIRE(well_formed(character));
          REQUIRE(lm::is_valid_utf8(character));
          std::string again;
          lm::append_utf8(again, one.cp);
          REQUIRE(again == character);
          for (std::size_t n = 1; n < character.size(); ++n)
            REQUIRE(lm::find_invalid_utf8("ab" + character.substr(0, n)) == 2);
        }
      }
    }
  }
  CHECK(good > 128000);
}

TEST_CASE("what is no character is written as the replacement character", "[core]") {
  for (const char32_t cp : {0xD800u, 0xDFFFu, 0x110000u, 0xFFFFFFFFu}) {
    std::string out;
    lm::append_utf8(out, cp);
    CHECK(out == "\xEF\xBF\xBD");
  }
}
