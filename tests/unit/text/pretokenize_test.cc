#include "text/pretokenize.h"

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace {

using lm::i64;
using lm::u64;
using lm::text::PatternId;
using lm::text::Span;
namespace text = lm::text;

std::vector<std::string> pieces(PatternId id, const std::string& s) {
  std::vector<Span> spans;
  text::scan_pieces(id, s, spans);
  std::vector<std::string> out;
  for (const Span& span : spans) {
    out.push_back(s.substr(lm::usize(span.begin), lm::usize(span.end - span.begin)));
  }
  return out;
}

using Strings = std::vector<std::string>;

// Code points that Unicode 14 (PCRE2 10.42) and 16 classify alike, one alphabet a row. The letter
// and number rows are old scripts' blocks, filtered to assigned code points.
struct Alphabet {
  const char* name;
  std::vector<std::pair<char32_t, char32_t>> ranges;
};

const std::vector<Alphabet>& alphabets() {
  static const std::vector<Alphabet> all = {
      {"ascii", {{0, 0x7F}}},
      {"ascii words",
       {{'a', 'f'}, {'A', 'C'}, {'0', '3'}, {' ', ' '}, {' ', ' '}, {'.', '/'}, {'\n', '\n'}}},
      {"contractions",
       {{'\'', '\''},
        {'\'', '\''},
        {'s', 't'},
        {'S', 'T'},
        {'l', 'm'},
        {'L', 'M'},
        {'r', 'r'},
        {'e', 'e'},
        {'E', 'E'},
        {'v', 'v'},
        {'d', 'd'},
        {'R', 'R'},
        {0x17F, 0x17F},
        {0x2019, 0x2019},
        {' ', ' '},
        {0x301, 0x301}}},
      {"white",
       {{9, 13},
        {' ', ' '},
        {' ', ' '},
        {0x85, 0x85},
        {0xA0, 0xA0},
        {0x1680, 0x1680},
        {0x2000, 0x200B},
        {0x2028, 0x2029},
        {0x202F, 0x202F},
        {0x205F, 0x205F},
        {0x3000, 0x3000},
        {0x1C, 0x1F},
        {0x180E, 0x180E},
        {0xFEFF, 0xFEFF},
        {'a', 'a'},
        {'1', '1'},
        {'.', '.'},
        {'\n', '\n'},
        {'\r', '\r'}}},
      {"latin", {{0xC0, 0x24F}, {0x300, 0x36F}, {'a', 'z'}, {'A', 'Z'}, {' ', ' '}, {'\'', '\''}}},
      {"greek cyrillic", {{0x370, 0x3FF}, {0x400, 0x52F}, {' ', ' '}, {',', '.'}}},
      {"titlecase modifiers",
       {{0x1C4, 0x1CC}, {0x2B0, 0x2FF}, {0x1F88, 0x1FAF}, {'a', 'b'}, {'A', 'B'}, {' ', ' '}}},
      {"cjk", {{0x4E00, 0x9FA5}, {0x3041, 0x30FF}, {0xAC00, 0xAC80}, {0x3000, 0x3020}, {'a', 'b'}}},
      {"emoji",
       {{0x1F300, 0x1F64F},
        {0x200D, 0x200D},
        {0xFE0F, 0xFE0F},
        {0x1F3FB, 0x1F3FF},
        {' ', ' '},
        {'a', 'a'}}},
      {"indic thai arabic",
       {{0x900, 0x97F}, {0xE01, 0xE5B}, {0x621, 0x669}, {' ', ' '}, {'\n', '\n'}}},
      {"marks",
       {{0x300, 0x30F},
        {0x93E, 0x94D},
        {0x20DD, 0x20E0},
        {'a', 'b'},
        {'A', 'B'},
        {0x4E00, 0x4E01},
        {' ', ' '},
        {'!', '!'}}},
      {"digits",
       {{'0', '9'},
        {0x660, 0x669},
        {0x966, 0x96F},
        {0xB2, 0xB3},
        {0xBC, 0xBE},
        {0x2160, 0x216F},
        {0x1D7CE, 0x1D7D7},
        {'a', 'a'},
        {' ', ' '},
        {',', ','}}},
  };
  return all;
}

bool assigned(char32_t cp) {
  return text::general_category(cp) != text::Category::kCn;
}

std::string random_string(const Alphabet& alphabet, const lm::RandomStream& random, u64& draw) {
  std::string s;
  const u64 n = random.below(draw++, 24);
  for (u64 i = 0; i < n; ++i) {
    const std::pair<char32_t, char32_t> range =
        alphabet.ranges[random.below(draw++, alphabet.ranges.size())];
    const char32_t cp =
        range.first + static_cast<char32_t>(random.below(draw++, range.second - range.first + 1));
    if (assigned(cp)) text::append_utf8(s, cp);
  }
  return s;
}

}  // namespace

TEST_CASE("scanners cut like PCRE2 running the literal pattern", "[text]") {
  for (const PatternId id : {PatternId::kR50k, PatternId::kCl100kHf, PatternId::kCl100kTiktoken,
                             PatternId::kQwen2, PatternId::kO200k}) {
    const text::Regex regex(text::pattern_text(id), text::RegexDialect::kRust);
    u64 draw = 0;
    const lm::RandomStream random(7, lm::RandomPurpose::kOther, static_cast<u64>(id));
    for (const Alphabet& alphabet : alphabets()) {
      for (int round = 0; round < 3000; ++round) {
        const std::string s = random_string(alphabet, random, draw);
        std::vector<Span> want;
        std::vector<Span> got;
        regex.find_all(s, want);
        text::scan_pieces(id, s, got);
        if (got != want) {
          FAIL(text::pattern_text(id)
               << "\non " << alphabet.name << ": " << Catch::Detail::stringify(s));
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("any byte ends a run of letters at any place of it", "[text]") {
  for (const PatternId id : {PatternId::kR50k, PatternId::kCl100kHf, PatternId::kO200k}) {
    const text::Regex regex(text::pattern_text(id), text::RegexDialect::kRust);
    for (char32_t cp = 0; cp < 0x180; ++cp) {
      // Runs shorter than a machine word, just as long, and longer; near the text's end and not.
      for (std::size_t run = 0; run <= 18; ++run) {
        for (const std::size_t behind : {std::size_t{0}, std::size_t{3}, std::size_t{20}}) {
          std::string s = std::string(run, run % 2 == 0 ? 'a' : 'Z');
          text::append_utf8(s, cp);
          s.append(behind, 'z');
          std::vector<Span> want;
          std::vector<Span> got;
          regex.find_all(s, want);
          text::scan_pieces(id, s, got);
          if (got != want) FAIL(text::pattern_text(id) << "\non " << Catch::Detail::stringify(s));
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("all spellings of a pattern choose the same scanner", "[text]") {
  CHECK(text::identify_pattern(
            R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)") ==
        PatternId::kR50k);
  for (const PatternId id : {PatternId::kR50k, PatternId::kCl100kHf, PatternId::kCl100kTiktoken,
                             PatternId::kQwen2, PatternId::kO200k}) {
    CHECK(text::identify_pattern(text::pattern_text(id)) == id);
  }
  CHECK(text::identify_pattern("\\w+") == PatternId::kOther);
}

TEST_CASE("the two cl100k forms differ only where text ends in white space after a break",
          "[text]") {
  CHECK(pieces(PatternId::kCl100kTiktoken, "a\n  ") == Strings{"a", "\n  "});
  CHECK(pieces(PatternId::kCl100kHf, "a\n  ") == Strings{"a", "\n", "  "});
  CHECK(pieces(PatternId::kCl100kTiktoken, "a\n  b") == pieces(PatternId::kCl100kHf, "a\n  b"));
}

TEST_CASE("pieces of known sentences", "[text]") {
  CHECK(pieces(PatternId::kR50k, "He's 12345  ok\n\n x") ==
        Strings{"He", "'s", " 12345", " ", " ok", "\n\n", " x"});
  CHECK(pieces(PatternId::kR50k, "HE'S") == Strings{"HE", "'", "S"});
  CHECK(pieces(PatternId::kCl100kHf, "HE'S 12345...\n\nx") ==
        Strings{"HE", "'S", " ", "123", "45", "...\n\n", "x"});
  CHECK(pieces(PatternId::kQwen2, "12 3") == Strings{"1", "2", " ", "3"});
  CHECK(pieces(PatternId::kO200k, "XMLHttpRequest's a/b\n") ==
        Strings{"XMLHttp", "Request's", " a", "/b", "\n"});
  CHECK(pieces(PatternId::kR50k, "").empty());
}

TEST_CASE("a long run is scanned once", "[text]") {
  const std::string s(3'000'000, ' ');
  CHECK(pieces(PatternId::kR50k, s + "a").size() == 2);
  const std::string letters(3'000'000, 'a');
  CHECK(pieces(PatternId::kO200k, letters).size() == 1);
}

TEST_CASE("a wrong pattern is named with the place of the error", "[text]") {
  CHECK_THROWS_AS(text::Regex("(abc"), lm::Error);
  CHECK_THROWS_WITH(text::Regex("a[b"), Catch::Matchers::ContainsSubstring("a[b"));
}

TEST_CASE("empty matches are reported once and do not stop the search", "[text]") {
  std::vector<Span> found;
  text::Regex("x*").find_all("a\xC3\xA9xx", found);
  CHECK(found == std::vector<Span>{{0, 0}, {1, 1}, {3, 5}, {5, 5}});
}

TEST_CASE("anchors and word characters follow the dialect", "[text]") {
  const auto count = [](const char* pattern, text::RegexDialect dialect, const char* s) {
    std::vector<Span> found;
    text::Regex(pattern, dialect).find_all(s, found);
    return found.size();
  };
  CHECK(count("a$", text::RegexDialect::kOniguruma, "a\na") == 2);
  CHECK(count("a$", text::RegexDialect::kRust, "a\na\n") == 0);
  CHECK(count("\\s", text::RegexDialect::kRust, "\xE1\xA0\x8E \x1C") == 1);  // U+180E is none
  CHECK(count("[\\w-]+", text::RegexDialect::kRust, "a\xCC\x81-b") == 1);    // marks are words
  CHECK_THROWS_AS(text::Regex("\\h"), lm::Error);
}
