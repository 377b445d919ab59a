#include <algorithm>

#include "core/error.h"
#include "core/random.h"
#include "core/str.h"
#include "tag/word_list.h"
#include "tagging.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

using namespace lm;
using namespace lm::tag;

namespace {

constexpr const char* kNoEnd = "lines_with_no_ending_punctuation";
constexpr const char* kFew = "lines_with_too_few_words";

TagSettings dolma() {
  TagSettings settings;
  settings.dolma = true;
  return settings;
}

}  // namespace

TEST_CASE("c4: a document by hand", "[tag]") {
  for (const char* tagger : {"c4_v1", "c4_v2"}) {
    const auto all = found(tagger, "One two three.\nOne two\n\n a b \"c\" \r\nx y z");
    // Lines begin at 0, 15, 23, 24, 35 and end with their newline but the last.
    CHECK(all.at(kNoEnd) == Spans{{15, 23, 1}, {23, 24, 1}, {35, 40, 1}});
    CHECK(all.at(kFew) == Spans{{15, 23, 1}, {23, 24, 1}});
    CHECK(all.at("line_count") == Spans{{0, 40, 5}});
    CHECK(all.size() == 3);
  }
}

TEST_CASE("c4: empty texts and texts of newlines", "[tag]") {
  for (const char* tagger : {"c4_v1", "c4_v2"}) {
    const auto empty = found(tagger, "");
    CHECK(empty.at("line_count") == Spans{{0, 0, 1}});
    CHECK(empty.at(kNoEnd) == Spans{{0, 0, 1}});
    CHECK(empty.at(kFew) == Spans{{0, 0, 1}});
    const auto lines = found(tagger, "\n\n");
    CHECK(lines.at(kNoEnd) == Spans{{0, 1, 1}, {1, 2, 1}, {2, 2, 1}});
    CHECK(value(lines, "line_count") == 3);
  }
}

TEST_CASE("c4: marks of documents", "[tag]") {
  const auto has = [](const char* tagger, std::string_view text, const char* type) {
    return found(tagger, text).count(type) == 1;
  };
  CHECK(has("c4_v1", "Use JavaScript please.", "has_javascript"));
  CHECK(has("c4_v1", "javascript", "has_javascript"));
  CHECK(has("c4_v1", "xjavascript javascript", "has_javascript"));
  CHECK(has("c4_v1",
            "a\xC2\xA0javascript\xE2\x80\xA8"
            "b",
            "has_javascript"));
  CHECK_FALSE(has("c4_v1", "Use JavaScript, please.", "has_javascript"));
  CHECK_FALSE(has("c4_v1", "\xC3\xA9javascript", "has_javascript"));
  CHECK(has("c4_v2", "Use JavaScript, please.", "has_javascript"));
  CHECK(has("c4_v1", "Lorem IPSUM", "has_lorem_ipsum"));
  CHECK_FALSE(has("c4_v2", "Lorem\nipsum", "has_lorem_ipsum"));
  CHECK(has("c4_v2", "a { b", "has_curly_brace"));
  CHECK(found("c4_v2", "\xC3\xA9 { b").at("has_curly_brace") == Spans{{0, 5, 1}});
}

TEST_CASE("c4_v2: offsets are those of the text, with --compat dolma of its lower case (D-03)",
          "[tag]") {
  // U+0130 is one code point, two in lower case.
  const std::string text = "\xC4\xB0\xC4\xB0\nab\nThis one is good.";
  CHECK(found("c4_v2", text).at(kNoEnd) == Spans{{0, 3, 1}, {3, 6, 1}});
  CHECK(found("c4_v2", text, dolma()).at(kNoEnd) == Spans{{0, 5, 1}, {5, 8, 1}});
  CHECK(found("c4_v2", text, dolma()).at(kFew) == Spans{{0, 5, 1}, {5, 8, 1}});
  CHECK(value(found("c4_v2", text, dolma()), "line_count") == 3);
  // v1 has no such defect.
  CHECK(found("c4_v1", text, dolma()).at(kNoEnd) == Spans{{0, 3, 1}, {3, 6, 1}});
}

TEST_CASE("c4: words of a list are whole words, phrases stand anywhere", "[tag]") {
  const WordList list("darn\n  blast it \n\nc'est nul\n\xC3\xA9t\xC3\xA9\n", "words.txt");
  CHECK(list.size() == 4);
  TagSettings settings;
  settings.naughty = &list;
  const auto naughty = [&](std::string_view text) {
    return found("c4_v2", text, settings).count("has_naughty_word") == 1;
  };
  CHECK(naughty("Oh DARN"));
  CHECK(naughty("\xC3\x89T\xC3\x89"));
  CHECK_FALSE(naughty("darn! darned"));
  CHECK(naughty("sandblast items"));
  CHECK_FALSE(naughty("blast  it"));
  CHECK_FALSE(naughty("blast\nit"));
  CHECK_FALSE(naughty(" it"));
  CHECK_FALSE(naughty("blast "));
  CHECK(naughty("c'est nul"));
  CHECK_FALSE(found("c4_v2", "darn").count("has_naughty_word") == 1);
}

TEST_CASE("c4: lines and marks equal the definition on random texts", "[tag]") {
  constexpr std::string_view kPieces[] = {
      "one ",     "two",          " ",        "\n",           "\n",          ".",       "!\t",
      "end.\n",   "\"",           "Java",     "Script",       "javascript ", "{",       "Lorem ",
      "ipsum",    "darn ",        "Blast ",   "it",           "\r",          "damned ", "x",
      "\xC4\xB0", "\xE3\x80\x80", "\xC3\x89", "\xE2\x84\xAA", "\xC2\xA0\n"};
  const WordList list("darn\nblast it\nx\n\xC3\xA9\nfive words\n", "words.txt");
  TagSettings settings;
  settings.naughty = &list;
  for (u64 seed = 0; seed < 3000; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    std::string text;
    for (u64 i = 0; i < seed % 50; ++i)
      text += kPieces[draws.below(i, seed % 2 == 0 ? 21 : std::size(kPieces))];
    INFO("seed " << seed << ": " << quote(text, 400));
    const std::string lower = text::to_lower(text);
    const std::vector<std::string_view> words = text::words_ws(lower);
    const auto has_word = [&](std::string_view word) {
      return std::find(words.begin(), words.end(), word) != words.end();
    };
    std::map<std::string, Spans> expected;
    i64 begin = 0;
    const std::vector<std::string_view> lines = text::lines_n(text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string_view line = text::strip(lines[i]);
      const i64 end = begin + text::count_code_points(lines[i]) + (i + 1 < lines.size() ? 1 : 0);
      if (line.empty() || std::string_view(".?!\"").find(line.back()) == line.npos)
        expected[kNoEnd].push_back({begin, end, 1});
      if (text::words_ws(line).size() < 3) expected[kFew].push_back({begin, end, 1});
      begin = end;
    }
    expected["line_count"] = {{0, begin, static_cast<f64>(lines.size())}};
    const auto mark = [&](const char* type, bool is) {
      if (is) expected[type] = {{0, begin, 1}};
    };
    mark("has_naughty_word", has_word("darn") || has_word("x") || has_word("\xC3\xA9") ||
                                 lower.find("blast it") != lower.npos);
    mark("has_lorem_ipsum", lower.find("lorem ipsum") != lower.npos);
    mark("has_curly_brace", text.find('{') != text.npos);
    mark("has_javascript", lower.find("javascript") != lower.npos);
    REQUIRE(found("c4_v2", text, settings) == expected);
    expected.erase("has_javascript");
    mark("has_javascript", has_word("javascript"));
    REQUIRE(found("c4_v1", text, settings) == expected);
  }
}

TEST_CASE("word lists: what is wrong with a file is said", "[tag]") {
  CHECK_THROWS_WITH(WordList(" \n\n", "w.txt"), "w.txt: has no entries");
  CHECK_THROWS_WITH(WordList("ok\n\xFF\n", "w.txt"), "w.txt:2: is not UTF-8");
}
