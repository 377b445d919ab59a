#include "text/segment.h"

#include <string>
#include <vector>

#include "catch.h"
#include "core/random.h"
#include "text/utf8.h"

using namespace lm;
using namespace lm::text;

using Views = std::vector<std::string_view>;

TEST_CASE("words are the runs between Python's white space", "[text]") {
  CHECK(words_ws("") == Views{});
  CHECK(words_ws(" \t\n") == Views{});
  CHECK(words_ws("a") == Views{"a"});
  CHECK(words_ws("  one two\r\nthree ") == Views{"one", "two", "three"});
  // U+00A0, U+2003 and U+3000 separate; U+200B (zero width space) and U+FEFF do not.
  CHECK(words_ws("a\xC2\xA0"
                 "b\xE2\x80\x83"
                 "c\xE3\x80\x80"
                 "d") == Views{"a", "b", "c", "d"});
  CHECK(words_ws("a\xE2\x80\x8B"
                 "b") == Views{"a\xE2\x80\x8B"
                               "b"});
  // U+001C separates for Python although it is not White_Space.
  CHECK(words_ws("a\x1C"
                 "b") == Views{"a", "b"});
  CHECK(words_ws(std::string_view("a\0b", 3)) == Views{std::string_view("a\0b", 3)});
  CHECK(count_words_ws(" x yy  zzz") == 3);
}

TEST_CASE("words are counted as they are cut, wherever blocks of eight bytes begin", "[text]") {
  constexpr std::string_view kPieces[] = {
      " ",        "a",        "\n",           "\x1C",         "!",    "\x08", "\x0E", "\x1B", "~",
      "\xC3\xA9", "\xC2\xA0", "\xE3\x80\x80", "\xE2\x80\x8B", "\x7F", "\r",   "word"};
  u64 state = 1;
  for (i64 i = 0; i < 2000; ++i) {
    std::string text;
    for (i64 n = i % 40; n > 0; --n) {
      state = mix64(state + 1);
      text += kPieces[state % 16];
    }
    INFO(i);
    REQUIRE(count_words_ws(text) == isize(words_ws(text)));
  }
}

TEST_CASE("strip takes white space off both ends", "[text]") {
  CHECK(strip("") == "");
  CHECK(strip(" \xC2\xA0\n") == "");
  CHECK(strip("\xE3\x80\x80 a b \xE2\x80\xA8") == "a b");
  CHECK(strip("\xC3\xA0") == "\xC3\xA0");  // ends in the byte A0 but is a letter
  CHECK(is_blank(" \t\xC2\x85"));
  CHECK(is_blank(""));
  CHECK_FALSE(is_blank(" ."));
}

TEST_CASE("lines split at newlines only", "[text]") {
  CHECK(lines_n("") == Views{""});
  CHECK(lines_n("a") == Views{"a"});
  CHECK(lines_n("a\n") == Views{"a", ""});
  CHECK(lines_n("\na\r\n\n") == Views{"", "a\r", "", ""});
}

TEST_CASE("paragraphs keep their newline and add up to the text", "[text]") {
  CHECK(paragraphs("") == Views{});
  CHECK(paragraphs("a\n\nb") == Views{"a\n", "\n", "b"});
  CHECK(paragraphs("a\n \n\nb\n", true) == Views{"a\n", "b\n"});
  for (const std::string text : {"", "\n", "x\n\n\ny", "\n\nz\n"}) {
    std::string joined;
    for (const std::string_view p : paragraphs(text))
      joined += p;
    CHECK(joined == text);
  }
}

TEST_CASE("code point offsets agree with counting from the start", "[text]") {
  const std::vector<std::string> letters = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
  for (u64 seed = 0; seed < 4; ++seed) {
    const RandomStream random(seed, RandomPurpose::kOther);
    std::string text;
    std::vector<i64> starts;
    for (u64 i = 0; i < 3000; ++i) {
      starts.push_back(isize(text));
      text += letters[random.below(i, seed == 0 ? 1 : 4)];
    }
    starts.push_back(isize(text));
    const CodePointIndex index(text);
    REQUIRE(index.size() == 3000);
    bool same = true;
    for (i64 i = 0; i <= 3000; ++i) {
      same = same && index.at(starts[usize(i)]) == i && index.byte_of(i) == starts[usize(i)];
    }
    CHECK(same);
  }
  CHECK(CodePointIndex("").size() == 0);
  CHECK(CodePointIndex("").at(0) == 0);
  // A sequence that straddles the checkpoint at byte 1024 belongs before it.
  const std::string straddling = std::string(1023, 'x') + "\xE2\x82\xAC" + "y";
  const CodePointIndex index(straddling);
  CHECK(index.at(1023) == 1023);
  CHECK(index.at(1026) == 1024);
  CHECK(index.byte_of(1024) == 1026);
}

TEST_CASE("behind a text there is no white space", "[text]") {
  const std::string_view spaces = " \u00a0\u3000 ";
  std::vector<i64> sizes;
  for (i64 at = 0, size = 1; size > 0; at += size)
    sizes.push_back(size = py_space_size(spaces.substr(0, 7), at));
  CHECK(sizes == std::vector<i64>{1, 2, 3, 1, 0});
  CHECK(py_space_size("", 0) == 0);
}
