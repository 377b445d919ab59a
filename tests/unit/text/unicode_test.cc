#include "text/unicode.h"

#include <functional>

#include "catch.h"
#include "core/hash.h"
#include "text/utf8.h"

namespace {

using lm::i64;
using lm::u64;
namespace text = lm::text;

/// SHA-256 over f(cp) for every code point but the surrogates (scripts/unicode_digests).
std::string digest_all(const std::function<void(char32_t, std::string&)>& f) {
  std::string all;
  for (char32_t cp = 0; cp < 0x110000; ++cp) {
    if (cp < 0xD800 || cp > 0xDFFF) f(cp, all);
  }
  return lm::sha256_hex(all);
}

std::string one(char32_t cp) {
  std::string s;
  text::append_utf8(s, cp);
  return s;
}

/// The seeded strings of scripts/unicode_digests: marks, Hangul, Hebrew, Greek, Indic, kana.
std::string digest_strings(const std::function<std::string(std::string_view)>& f) {
  const std::vector<std::pair<char32_t, char32_t>> ranges = {
      {0x41, 0x7A},   {0x300, 0x345},   {0x1100, 0x11FF}, {0xAC00, 0xD7A3},
      {0x5B0, 0x5C7}, {0x900, 0x9FF},   {0x1E00, 0x1FFF}, {0x11300, 0x1134F},
      {0x300, 0x345}, {0x30A0, 0x30FF}, {0xFF00, 0xFFEF}};
  u64 x = 12345;
  const auto draw = [&x] {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return x >> 33;
  };
  std::string all;
  for (int i = 0; i < 100000; ++i) {
    std::string s;
    const u64 n = 1 + draw() % 10;
    for (u64 k = 0; k < n; ++k) {
      const std::pair<char32_t, char32_t> range = ranges[draw() % ranges.size()];
      const u64 pick = draw() % (range.second - range.first + 1);
      text::append_utf8(s, range.first + static_cast<char32_t>(pick));
    }
    all += f(s) + "\n";
  }
  return lm::sha256_hex(all);
}

}  // namespace

TEST_CASE("categories, classes and numeric values of all code points are those of Unicode 16",
          "[text]") {
  CHECK(digest_all([](char32_t cp, std::string& out) {
          out.push_back(static_cast<char>(text::general_category(cp)));
        }) == "2ee61d052cf121736df5250f5e22fad172b6f90bd51ecb1ce9459c6038c31dd1");
  CHECK(digest_all([](char32_t cp, std::string& out) {
          out.push_back(static_cast<char>(text::combining_class(cp)));
        }) == "7cf9317c6f5a92714f5d1bf25c44c37f8ea8f2b1e6a0bf3af4f5aec06a6aedeb");
  CHECK(digest_all([](char32_t cp, std::string& out) {
          out.push_back(text::is_alnum(cp) ? '\1' : '\0');
        }) == "fcfe20011d6ea3ddbcbf742585a595e70448a86e17afe4291c44f29206cd7541");
}

TEST_CASE("normal forms of every code point are those of Unicode 16", "[text]") {
  const auto all = [](std::string (*f)(std::string_view)) {
    return digest_all([f](char32_t cp, std::string& out) { out += f(one(cp)) + "\n"; });
  };
  CHECK(all(text::nfc) == "9cc65524a9d8082bf10840c616cd199bd2ac12ee49a3381bd6fb7957711f342b");
  CHECK(all(text::nfd) == "acbdeb7e8b807ccf13f21be69a6825f6233d7c6af87d13dbd843a7ee95c9a803");
  CHECK(all(text::nfkc) == "228491a2d94c981f2d77de50fa5b4970971e5b91780f852377eb653b124b244d");
  CHECK(all(text::nfkd) == "d8e09ebd421b8efeb79b99df97d8bedf91ed967be5cda5c5ed3ce7d59c79f91f");
}

TEST_CASE("normal forms of strings with marks and jamo equal the reference", "[text]") {
  CHECK(digest_strings(text::nfc) ==
        "891a1327535120b6ed3b2a5761e7d868b9e8427fb74d2617273801242ea7f71a");
  CHECK(digest_strings(text::nfd) ==
        "f34c9f05a2d8a3f822793dedbd60877325dd3847f685c545f752f00fc092fdaa");
  CHECK(digest_strings(text::nfkc) ==
        "7c304aebf7814de502c0f3b9de30c5fb2af43808483842a72bfef7778084f62a");
  CHECK(digest_strings(text::nfkd) ==
        "822030d96c4bd2ac0bbcb8a9a01559146f1cd3e4635dedab22495f78c82906fa");
}

TEST_CASE("white space is the 25 code points, and four more for Python", "[text]") {
  int white = 0;
  int py = 0;
  for (char32_t cp = 0; cp < 0x110000; ++cp) {
    white += text::is_white_space(cp) ? 1 : 0;
    py += text::is_py_space(cp) ? 1 : 0;
  }
  CHECK(white == 25);
  CHECK(py == 29);
  for (const char32_t cp : {0x180Eu, 0x200Bu, 0xFEFFu})
    CHECK_FALSE(text::is_white_space(cp));
  for (const char32_t cp : {0x85u, 0xA0u, 0x1680u, 0x2028u, 0x3000u})
    CHECK(text::is_white_space(cp));
}

TEST_CASE("lower-casing is the full mapping of the root locale", "[text]") {
  CHECK(text::to_lower("HeLLo \xC3\x84\xC3\x96") == "hello \xC3\xA4\xC3\xB6");
  CHECK(text::to_lower("\xC4\xB0x") == "i\xCC\x87x");  // U+0130
  // Sigma: final after a cased letter unless one follows; alone it is not final.
  const std::string sigma = "\xCE\xA3", small = "\xCF\x83", final_form = "\xCF\x82";
  CHECK(text::to_lower(sigma) == small);
  CHECK(text::to_lower("A" + sigma) == "a" + final_form);
  CHECK(text::to_lower("A" + sigma + "B") == "a" + small + "b");
  CHECK(text::to_lower("A" + sigma + "'") == "a" + final_form + "'");
  CHECK(text::to_lower("A" + sigma + "'b") == "a" + small + "'b");
  CHECK(text::to_lower("A." + sigma + " b") == "a." + final_form + " b");
  CHECK(text::to_lower_each("A" + sigma) == "a" + small);
  // Pairs that only Unicode 16 has.
  CHECK(text::simple_lower(0x1C89) == 0x1C8A);
  CHECK(text::simple_lower(0xA7CB) == 0x264);
  CHECK(text::simple_lower(0x10D50) == 0x10D70);
  CHECK(text::simple_upper(0x10D85) == 0x10D65);
  CHECK(text::simple_upper('a') == U'A');
}

TEST_CASE("property tests follow their definitions", "[text]") {
  CHECK(text::is_letter(0x1C89));         // new in 16.0
  CHECK_FALSE(text::is_letter(0x323B0));  // new in 17.0
  CHECK(text::is_number(0xB2));           // superscript two
  CHECK(text::is_number(0x2160));         // Roman numeral one
  CHECK_FALSE(text::is_decimal_digit(0xB2));
  CHECK(text::is_decimal_digit(0x0663));
  CHECK(text::is_punctuation(0x2019));
  CHECK_FALSE(text::is_punctuation('+'));
  CHECK(text::is_word('_'));
  CHECK(text::is_word(0x301));
  CHECK(text::is_word(0x2160));
  CHECK_FALSE(text::is_word(0xB2));
  CHECK_FALSE(text::is_word('-'));
  CHECK(text::general_category(0x110000) == text::Category::kCn);
}

TEST_CASE("inertness finds what NFC may change and nothing in plain text", "[text]") {
  CHECK(text::nfc_inert("plain text \xC3\xA9 \xE4\xB8\xAD"));
  CHECK_FALSE(text::nfc_inert("e\xCC\x81"));
  CHECK(text::nfc("e\xCC\x81") == "\xC3\xA9");
  CHECK(text::nfc("\xE2\x84\xAB") == "\xC3\x85");  // angstrom sign
  CHECK(text::nfd_without_marks("\xC3\xA9\xC3\xA0z") == "eaz");
  CHECK(text::nfc("").empty());
}
