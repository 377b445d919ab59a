#include "text/utf8.h"

#include "catch.h"
#include "core/random.h"

namespace {
using lm::i64;
using lm::u64;
namespace text = lm::text;
const std::string kFffd = "\xEF\xBF\xBD";
}  // namespace

TEST_CASE("every code point survives encoding and decoding", "[text]") {
  for (char32_t cp = 0; cp < 0x110000; ++cp) {
    std::string s;
    text::append_utf8(s, cp);
    const text::Decoded d = text::decode_at(s, 0);
    const bool surrogate = cp >= 0xD800 && cp <= 0xDFFF;
    const char* p = s.data();
    if (d.cp != (surrogate ? text::kReplacement : cp) || d.size != lm::isize(s) || !d.valid ||
        text::next_valid(p) != d.cp || p != s.data() + s.size() ||
        text::sequence_size(s[0]) != d.size) {
      FAIL("code point " << static_cast<lm::u32>(cp));
    }
  }
  SUCCEED();
}

TEST_CASE("ill-formed input is repaired per maximal subpart", "[text]") {
  // The example of the Unicode standard, table 3-8: 61 F1 80 80 E1 80 C2 62 80 63 80 BF 64.
  CHECK(text::repair_utf8("a\xF1\x80\x80\xE1\x80\xC2"
                          "b\x80"
                          "c\x80\xBF"
                          "d") ==
        "a" + kFffd + kFffd + kFffd + "b" + kFffd + "c" + kFffd + kFffd + "d");
  CHECK(text::repair_utf8("\xC0\xAF") == kFffd + kFffd);              // overlong
  CHECK(text::repair_utf8("\xED\xA0\x80") == kFffd + kFffd + kFffd);  // surrogate
  CHECK(text::repair_utf8("\xF4\x90\x80\x80") == kFffd + kFffd + kFffd + kFffd);
  CHECK(text::repair_utf8("\xF5\xFF") == kFffd + kFffd);
  CHECK(text::repair_utf8("\xE2\x82") == kFffd);  // cut at the end
  i64 count = 0;
  CHECK(text::repair_utf8(std::string_view("ok\0ok", 5), &count) == std::string("ok\0ok", 5));
  CHECK(count == 0);
  CHECK(text::repair_utf8("\xFFx\xFE", &count) == kFffd + "x" + kFffd);
  CHECK(count == 2);
}

TEST_CASE("validation reports the first bad byte at any alignment", "[text]") {
  for (int pad = 0; pad < 20; ++pad) {
    const std::string lead(static_cast<std::size_t>(pad), 'x');
    CHECK(text::find_invalid_utf8(lead + "\xC3\xA9yyyyyyyyyyyy") == -1);
    CHECK(text::find_invalid_utf8(lead + "\xE2\x82yyyyyyyyyyyy") == pad);
    CHECK(text::find_invalid_utf8(lead + "\xE2\x82") == pad);
  }
  CHECK(text::find_invalid_utf8("") == -1);
}

TEST_CASE("repair of random bytes is valid and leaves valid text alone", "[text]") {
  const lm::RandomStream random(1, lm::RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string s;
    const u64 n = random.below(draw++, 24);
    for (u64 i = 0; i < n; ++i) {
      // Half lead and continuation bytes, so that sequences form often.
      const u64 r = random.bits(draw++);
      s.push_back(static_cast<char>((r & 1) != 0 ? r >> 8 : 0x80 | ((r >> 8) & 0x7F)));
    }
    const std::string repaired = text::repair_utf8(s);
    REQUIRE(text::is_valid_utf8(repaired));
    REQUIRE(text::repair_utf8(repaired) == repaired);
    REQUIRE(text::to_utf8(text::to_utf32(s)) == repaired);
    REQUIRE(text::count_code_points(repaired) == lm::isize(text::to_utf32(s)));
  }
}

TEST_CASE("an incomplete end is measured only while it can be completed", "[text]") {
  CHECK(text::incomplete_suffix("") == 0);
  CHECK(text::incomplete_suffix("abc") == 0);
  CHECK(text::incomplete_suffix("a\xC3") == 1);
  CHECK(text::incomplete_suffix("a\xE2\x82") == 2);
  CHECK(text::incomplete_suffix("a\xF0\x9F\x98") == 3);
  CHECK(text::incomplete_suffix("a\xF0\x9F\x98\x80") == 0);
  CHECK(text::incomplete_suffix("a\xED\xA0") == 0);  // would be a surrogate
  CHECK(text::incomplete_suffix("\x80\x80\x80") == 0);
  CHECK(text::incomplete_suffix("\xFF") == 0);
}
