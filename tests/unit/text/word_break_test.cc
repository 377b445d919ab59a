#include "text/word_break.h"

#include <fstream>
#include <sstream>

#include "boundaries.h"
#include "catch.h"
#include "core/hash.h"
#include "core/str.h"
#include "text/script.h"
#include "text/utf8.h"

using namespace lm;

namespace {

std::string cut(std::string_view s) {
  std::string out;
  std::string_view segment;
  for (text::WordSegments all(s); all.next(segment);)
    append(out, out.empty() ? "" : "|", segment);
  return out;
}

std::string one(char32_t cp) {
  std::string s;
  text::append_utf8(s, cp);
  return s;
}

}  // namespace

TEST_CASE("words, blanks and marks stand apart", "[text]") {
  CHECK(cut("").empty());
  CHECK(cut("The quick (\"brown\") fox can't jump 32.3 feet, right?") ==
        "The| |quick| |(|\"|brown|\"|)| |fox| |can't| |jump| |32.3| |feet|,| |right|?");
  CHECK(cut("a  b\t\tc") == "a|  |b|\t|\t|c");
  CHECK(cut("a\r\nb\n\nc\r") == "a|\r\n|b|\n|\n|c|\r");
  CHECK(cut("x.y 1,234.5 a_b 3a 'a' a' a.1 1.a") ==
        "x.y| |1,234.5| |a_b| |3a| |'|a|'| |a|'| |a|.|1| |1|.|a");
  CHECK(cut("a:b::c") == "a:b|:|:|c");
}

TEST_CASE("marks belong to what they follow, quotes to Hebrew", "[text]") {
  const std::string acute = one(0x301);
  CHECK(cut("a" + acute + "'" + acute + "b") == "a" + acute + "'" + acute + "b");
  CHECK(cut(acute + "a") == acute + "|a");
  CHECK(cut("\n" + acute + "a") == "\n|" + acute + "|a");
  const std::string alef = one(0x5D0);
  CHECK(cut(alef + "\"" + alef) == alef + "\"" + alef);
  CHECK(cut(alef + "\"a") == alef + "|\"|a");
  CHECK(cut(alef + "' ") == alef + "'| ");
  const std::string kana = one(0x30A2);
  CHECK(cut(kana + kana + "_a") == kana + kana + "_a");
  CHECK(cut(kana + "a") == kana + "|a");
}

TEST_CASE("flags are pairs, joined emoji are one", "[text]") {
  const std::string flag = one(0x1F1E6);
  CHECK(cut(flag + flag + flag) == flag + flag + "|" + flag);
  CHECK(cut("a" + flag + one(0x200D) + flag) == "a|" + flag + one(0x200D) + flag);
  const std::string family = one(0x1F469) + one(0x200D) + one(0x1F467);
  CHECK(cut(family + family) == family + "|" + family);
}

TEST_CASE("seeded strings and thousands of code points are cut as by the reference", "[text]") {
  // scripts/unicode_digests: uniseg 0.10.1, which has Unicode 16.0.
  constexpr char32_t kPicks[] = {0x61, 0x5D0,  0x31,    0x30A2,  0x5F,   0x3A,   0x2C, 0x2E,
                                 0x27, 0x22,   0x20,    0x3000,  0xD,    0xA,    0x85, 0x300,
                                 0xAD, 0x200D, 0x1F1E6, 0x1F600, 0x2764, 0x4E00, 0x21, 0x661};
  u64 x = 12345;
  const auto draw = [&x] {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return x >> 33;
  };
  std::string all;
  for (int i = 0; i < 50000; ++i) {
    std::string s;
    const u64 n = 1 + draw() % 10;
    for (u64 k = 0; k < n; ++k)
      text::append_utf8(s, kPicks[draw() % std::size(kPicks)]);
    all += cut(s) + "\n";
  }
  CHECK(sha256_hex(all) == "127f4b6901bbbb2386a14172ffe6a391c3dd19baf660a2b716c87c3551a5b8a4");
  all.clear();
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0, 0x3100}, {0xA640, 0xABC0}, {0xFB00, 0xFF00}, {0x1F000, 0x1FB00}};
  for (const auto& [first, last] : kRanges)
    for (char32_t cp = first; cp < last; ++cp)
      all += cut("a" + one(cp) + "a1" + one(cp) + "1") + "\n";
  CHECK(sha256_hex(all) == "daae2c967beafafdaa77ba934c9f3f5882dfd592713079df04a915f7a241dff4");
}

TEST_CASE("Unicode's own break tests pass", "[text]") {
  const std::filesystem::path path = test::data_dir() / "unicode" / "WordBreakTest.txt";
  if (!std::filesystem::exists(path)) return;
  std::ifstream file(path);
  i64 lines = 0;
  for (std::string line; std::getline(file, line);) {
    // Fields are code points, U+00F7 for a boundary, U+00D7 for none; # begins a comment.
    std::istringstream fields(line.substr(0, line.find('#')));
    std::string text;
    std::string want;
    bool boundary = false;
    for (std::string field; fields >> field;) {
      if (field == "\xC3\xB7" || field == "\xC3\x97") {
        boundary = field == "\xC3\xB7";
        continue;
      }
      const std::string c = one(static_cast<char32_t>(std::stoul(field, nullptr, 16)));
      append(want, boundary && !want.empty() ? "|" : "", c);
      text += c;
    }
    if (text.empty()) continue;
    INFO(line);
    CHECK(cut(text) == want);
    ++lines;
  }
  CHECK(lines > 1000);
}

TEST_CASE("segments of white space count where they are asked for", "[text]") {
  CHECK(text::count_word_segments("a b\n", true) == 4);
  CHECK(text::count_word_segments("a b\n", false) == 2);
  CHECK(text::count_word_segments("", true) == 0);
}

TEST_CASE("characters have a script, marks and digits share one", "[text]") {
  const auto name = [](char32_t cp) { return text::kScriptNames[text::script_of(cp)]; };
  CHECK(name('a') == "latin");
  CHECK(name('1') == "common");
  CHECK(name(0x300) == "common");
  CHECK(name(0x3B1) == "greek");
  CHECK(name(0x436) == "cyrillic");
  CHECK(name(0x5D0) == "hebrew");
  CHECK(name(0x627) == "arabic");
  CHECK(name(0x905) == "devanagari");
  CHECK(name(0xE01) == "thai");
  CHECK(name(0xAC00) == "hangul");
  CHECK(name(0x3042) == "hiragana");
  CHECK(name(0x30A2) == "katakana");
  CHECK(name(0x4E2D) == "han");
  CHECK(name(0x13A0) == "other");  // Cherokee
  CHECK(name(0x378) == "common");  // unassigned
}

TEST_CASE("what has a letter or a number counts as a word", "[text]") {
  CHECK(text::count_words_u29("") == 0);
  CHECK(text::count_words_u29("Hello, world! 42 - \xC2\xBD") == 4);
  CHECK(text::count_words_u29("... --- !!!") == 0);
  // Ideographs are a word each.
  CHECK(text::count_words_u29("\xE4\xBD\xA0\xE5\xA5\xBD") == 2);
}

TEST_CASE("words of characters of all classes are those of the rules read literally", "[text]") {
  // scripts/unicode_digests; uniseg 0.10.1 gives the same digest.
  const auto cut = [](std::string_view s, std::vector<std::string_view>& out) {
    out.clear();
    std::string_view segment;
    for (text::WordSegments all(s); all.next(segment);)
      out.push_back(segment);
  };
  CHECK(text::digest_boundaries(cut) ==
        "f189448560cd3080ed74d642d20f88278d74ec4f356c16f6c6491ba0d0817d4e");
}
