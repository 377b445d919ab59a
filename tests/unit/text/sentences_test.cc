#include "text/sentences.h"

#include "boundaries.h"
#include "catch.h"

namespace {

namespace text = lm::text;
using Parts = std::vector<std::string_view>;

Parts cut(std::string_view s) {
  Parts out;
  text::sentences(s, out);
  return out;
}

}  // namespace

TEST_CASE("sentences end at marks and take the white space behind them", "[text]") {
  CHECK(cut("").empty());
  CHECK(cut("One") == Parts{"One"});
  CHECK(cut("One. Two!  Three?") == Parts{"One. ", "Two!  ", "Three?"});
  CHECK(cut("He said \"No.\" Then he left.") == Parts{"He said \"No.\" ", "Then he left."});
  CHECK(cut("It cost 3.50 in all. Fine.") == Parts{"It cost 3.50 in all. ", "Fine."});
  CHECK(cut("U.S. law. Next") == Parts{"U.S. law. ", "Next"});
  CHECK(cut("etc. and so on") == Parts{"etc. and so on"});
  CHECK(cut("So... what? (Yes.) 2") == Parts{"So... what? ", "(Yes.) ", "2"});
  // Three small marks end no sentence before a small letter, a question mark does.
  CHECK(cut("What? yes") == Parts{"What? ", "yes"});
}

TEST_CASE("a line break ends a sentence", "[text]") {
  CHECK(cut("a\nb\r\nc\rd") == Parts{"a\n", "b\r\n", "c\r", "d"});
  CHECK(cut("\n\n") == Parts{"\n", "\n"});
  CHECK(cut("a.\n b") == Parts{"a.\n", " b"});
  CHECK(text::count_sentences("a\n\n b \n \t") == 2);
  CHECK(text::count_sentences(" \n ") == 0);
}

TEST_CASE("abbreviations are not known", "[text]") {
  CHECK(cut("Mr. Smith went.") == Parts{"Mr. ", "Smith went."});
}

TEST_CASE("sentences of other scripts", "[text]") {
  // Ideographic full stop; Devanagari danda.
  CHECK(cut("\xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82\xE5\x86\x8D\xE8\xA7\x81").size() == 2);
  CHECK(cut("\xE0\xA4\x95\xE0\xA5\xA4 \xE0\xA4\x96").size() == 2);
  // A combining mark and a soft hyphen behind a full stop are looked through.
  CHECK(cut("a.\xCC\x81 B") == Parts{"a.\xCC\x81 ", "B"});
  CHECK(cut("a.\xC2\xAD b").size() == 1);
}

TEST_CASE("sentences of characters of all classes are those of the rules read literally",
          "[text]") {
  // scripts/unicode_digests; its boundaries equal those of ICU 72 but for characters whose class
  // has changed since.
  CHECK(text::digest_boundaries(text::sentences) ==
        "425f95ed99ad579ae6f2949e7dfd214fdbf9429063212d175553e4870e840423");
}
