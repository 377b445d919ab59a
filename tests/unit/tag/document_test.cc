#include "tag/document.h"

#include <map>

#include "catch.h"
#include "core/random.h"
#include "text/segment.h"
#include "text/utf8.h"

using namespace lm;
using namespace lm::tag;

namespace {

std::vector<std::string> slices(const Document& document, std::span<const Range> ranges) {
  std::vector<std::string> out;
  for (const Range r : ranges)
    out.emplace_back(document.slice(r));
  return out;
}

using Texts = std::vector<std::string>;

/// Python's splitlines, one separator after another.
Texts lines_py_slowly(std::string_view text) {
  constexpr std::string_view kSeparators[] = {"\r\n",     "\n",           "\r",          "\v",
                                              "\f",       "\x1C",         "\x1D",        "\x1E",
                                              "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"};
  Texts out;
  std::string line;
  while (!text.empty()) {
    std::size_t size = 0;
    for (const std::string_view separator : kSeparators)
      if (size == 0 && text.starts_with(separator)) size = separator.size();
    if (size > 0) {
      out.push_back(line);
      line.clear();
    } else {
      line += text[0];
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  if (!line.empty()) out.push_back(line);
  return out;
}

}  // namespace

TEST_CASE("words are runs between Python's white space, with bytes and code points", "[tag]") {
  Document document;
  // U+00A0, U+2028 and 1C are white space, U+200B is none; e with acute is one of two bytes.
  document.reset("\xC2\xA0 a\x1C\xC3\xA9t\xC3\xA9\xE2\x80\xA8z\xE2\x80\x8B.");
  const std::span<const Word> words = document.words();
  REQUIRE(words.size() == 3);
  CHECK(document.slice(words[0]) == "a");
  CHECK(document.slice(words[1]) == "\xC3\xA9t\xC3\xA9");
  CHECK(words[1].chars == 3);
  CHECK(words[1].bytes == 5);
  CHECK(document.slice(words[2]) == "z\xE2\x80\x8B.");
  CHECK(document.word_chars() == 7);
  CHECK_FALSE(document.ascii());

  document.reset(" one\ttwo  one\x1F");
  CHECK(document.words().size() == 3);
  CHECK(document.word_chars() == 9);
  CHECK(std::vector<u32>(document.word_ids().begin(), document.word_ids().end()) ==
        std::vector<u32>{0, 1, 0});
  CHECK(document.word_table().count(0) == 2);
  CHECK(document.ascii());
  for (const char* blank : {"", " \n\t ", "\xE3\x80\x80"}) {
    document.reset(blank);
    CHECK(document.words().empty());
    CHECK(document.word_chars() == 0);
  }
}

TEST_CASE("lines of the three kinds and paragraphs differ where they should", "[tag]") {
  Document document;
  document.reset("");
  CHECK(slices(document, document.lines_n()) == Texts{""});
  CHECK(slices(document, document.lines_nplus()) == Texts{""});
  CHECK(document.lines_py().empty());
  CHECK(document.paragraphs().empty());

  document.reset("\na\n\nb\n");
  CHECK(slices(document, document.lines_n()) == Texts{"", "a", "", "b", ""});
  CHECK(slices(document, document.lines_nplus()) == Texts{"", "a", "b", ""});
  CHECK(slices(document, document.lines_py()) == Texts{"", "a", "", "b"});
  CHECK(slices(document, document.paragraphs()) == Texts{"\n", "a\n", "\n", "b\n"});

  document.reset("\n\n\n");
  CHECK(slices(document, document.lines_nplus()) == Texts{"", ""});
  CHECK(slices(document, document.paragraphs()) == Texts{"\n", "\n", "\n"});

  // \r\n is one separator, \v, 1C, U+0085 and U+2029 are some; 1F and U+00A0 are none.
  document.reset(
      "a\r\nb\rc\vd\x1C"
      "e\xC2\x85"
      "f\xE2\x80\xA9g\x1Fh\xC2\xA0i");
  CHECK(slices(document, document.lines_py()) ==
        Texts{"a", "b", "c", "d", "e", "f", "g\x1Fh\xC2\xA0i"});
  CHECK(slices(document, document.paragraphs()) == Texts{"a\r\n",
                                                         "b\rc\vd\x1C"
                                                         "e\xC2\x85"
                                                         "f\xE2\x80\xA9g\x1Fh\xC2\xA0i"});
}

TEST_CASE("byte offsets become code points in any order", "[tag]") {
  std::string text;
  std::vector<std::pair<i64, i64>> starts;  // byte, code points
  for (i64 i = 0; i < 9000; ++i) {
    starts.emplace_back(isize(text), i);
    text += i % 7 == 0 ? "\xF0\x9F\x98\x80" : i % 3 == 0 ? "\xC3\xA9" : "x";
  }
  Document document;
  document.reset(text);
  for (std::size_t i = 0; i < starts.size(); i += 5)
    CHECK(document.chars_before(starts[i].first) == starts[i].second);
  for (std::size_t i = starts.size(); i-- > 0;) {
    if (i % 11 != 0) continue;
    CHECK(document.chars_before(starts[i].first) == starts[i].second);
    CHECK(document.byte_of(starts[i].second) == starts[i].first);
  }
  CHECK(document.chars_before(isize(text)) == 9000);
  document.reset("abc");
  CHECK(document.chars_before(2) == 2);
}

TEST_CASE("lower case is that of str.lower", "[tag]") {
  Document document;
  document.reset("AZ@[`az{\x7F");
  CHECK(document.lower() == "az@[`az{\x7F");
  // U+0130 becomes two code points, a sigma at a word's end the final one.
  document.reset("\xC4\xB0X \xCE\x9F\xCE\xA3");
  CHECK(document.lower() == "i\xCC\x87x \xCE\xBF\xCF\x82");
}

TEST_CASE("a word table numbers strings by first appearance and counts them", "[tag]") {
  WordTable table;
  table.reset(0);
  std::vector<std::string> words;
  for (int i = 0; i < 3000; ++i)
    words.push_back(std::string(static_cast<std::size_t>(i % 40), 'a') + std::to_string(i));
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < words.size(); ++i)
      REQUIRE(table.add(words[i]) == i);
  CHECK(table.size() == 3000);
  CHECK(table.count(2999) == 3);
  CHECK(table.count_of(words[2999]) == 3);
  CHECK(table.count_of("nothing") == 0);
  CHECK(WordTable().count_of("a") == 0);
  CHECK(table.text(7) == words[7]);
  CHECK(table.add(std::string_view("a\0b", 3)) == 3000);
  CHECK(table.add(std::string_view("a\0c", 3)) == 3001);
  table.reset(5);
  CHECK(table.size() == 0);
  CHECK(table.add("") == 0);
  CHECK(table.add("") == 0);
  CHECK(table.count(0) == 2);
}

TEST_CASE("a word table equals a map on random strings, of all sizes and with NUL", "[tag]") {
  WordTable table;
  for (u64 seed = 0; seed < 60; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    // Strings end where the text does, or are cut from it with something behind them.
    std::string text;
    for (u64 i = 0; i < 4000; ++i)
      text += static_cast<char>(draws.below(i, 1 + seed % 3));
    table.reset(static_cast<i64>(seed % 200));
    std::map<std::string_view, std::pair<u32, i64>> expected;
    for (u64 i = 0; i < 1500; ++i) {
      const u64 at = draws.below(5000 + 2 * i, text.size());
      const std::string_view s = std::string_view(text).substr(at, draws.below(5001 + 2 * i, 21));
      const auto [it, fresh] = expected.try_emplace(s, static_cast<u32>(expected.size()), i64{0});
      ++it->second.second;
      REQUIRE(table.add(s, at + 8 <= text.size()) == it->second.first);
    }
    REQUIRE(table.size() == isize(expected));
    for (const auto& [s, entry] : expected) {
      REQUIRE(table.text(entry.first) == s);
      REQUIRE(table.count(entry.first) == entry.second);
      REQUIRE(table.count_of(s) == entry.second);
    }
  }
}

TEST_CASE("words and lines are those of the slow ways, on random texts", "[tag]") {
  constexpr std::string_view kPieces[] = {
      " ",           "a",    "\n",      "\n",       "word",         "\t",       "\r\n",
      "\r",          "\x1E", "longer.", "\xC3\xA9", "\xE3\x80\x80", "\xC2\x85", "\xE2\x80\xA9",
      "\xE4\xB8\xAD"};
  Document document;
  for (u64 seed = 0; seed < 500; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    const u64 kinds = seed % 2 == 0 ? 10 : std::size(kPieces);
    std::string text;
    for (u64 i = 0; i < seed % 90; ++i)
      text += kPieces[draws.below(i, kinds)];
    INFO("seed " << seed);
    document.reset(text);
    Texts words;
    i64 chars = 0;
    for (const Word& word : document.words()) {
      words.emplace_back(document.slice(word));
      REQUIRE(word.chars == text::count_code_points(words.back()));
      chars += word.chars;
    }
    const std::vector<std::string_view> expected = text::words_ws(text);
    REQUIRE(words == Texts(expected.begin(), expected.end()));
    REQUIRE(document.word_chars() == chars);
    const std::vector<std::string_view> lines = text::lines_n(text);
    REQUIRE(slices(document, document.lines_n()) == Texts(lines.begin(), lines.end()));
    Texts runs;  // a newline that follows one cuts nothing
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (i == 0 || i + 1 == lines.size() || !lines[i].empty()) runs.emplace_back(lines[i]);
    REQUIRE(slices(document, document.lines_nplus()) == runs);
    REQUIRE(slices(document, document.lines_py()) == lines_py_slowly(text));
    const std::vector<std::string_view> paragraphs = text::paragraphs(text);
    REQUIRE(slices(document, document.paragraphs()) == Texts(paragraphs.begin(), paragraphs.end()));
  }
}
