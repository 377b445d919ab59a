#include "text/words_u29.h"

#include "boundaries.h"
#include "catch.h"

namespace {

namespace text = lm::text;
using Parts = std::vector<std::string_view>;

Parts cut(std::string_view s) {
  Parts out;
  text::segments_u29(s, out);
  return out;
}

}  // namespace

TEST_CASE("words are cut at the boundaries of UAX 29", "[text]") {
  CHECK(cut("").empty());
  CHECK(cut("can't stop") == Parts{"can't", " ", "stop"});
  CHECK(cut("3.14, 1,000") == Parts{"3.14", ",", " ", "1,000"});
  CHECK(cut("a_b c-d") == Parts{"a_b", " ", "c", "-", "d"});
  CHECK(cut("a\r\nb") == Parts{"a", "\r\n", "b"});
  CHECK(cut("x  y") == Parts{"x", "  ", "y"});
  // Two flags; a family joined by U+200D.
  CHECK(cut("\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA\xF0\x9F\x87\xAB\xF0\x9F\x87\xB7").size() == 2);
  CHECK(cut("\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7").size() == 1);
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
  CHECK(text::digest_boundaries(text::segments_u29) ==
        "f189448560cd3080ed74d642d20f88278d74ec4f356c16f6c6491ba0d0817d4e");
}
