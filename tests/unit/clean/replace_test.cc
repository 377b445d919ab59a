// Cleaners that put something in the place of what they find.

#include "cleaning.h"

using namespace lm::clean;

TEST_CASE("pii replaces addresses in turn", "[clean]") {
  CHECK(clean_text("pii", "a@b.co, c@d.org; e@f.net.") ==
        "email@example.com, firstname.lastname@example.org; email@example.com.");
  CHECK(clean_text("pii", "at 8.8.8.8 or 9.9.9.9 and 192.168.0.1") ==
        "at 22.214.171.124 or 126.96.36.199 and 192.168.0.1");
  CHECK(clean_text("pii:public-only=no", "192.168.0.1") == "22.214.171.124");
  CHECK(clean_text("pii:emails=no", "a@b.co 8.8.8.8") == "a@b.co 22.214.171.124");
  CHECK(clean_text("pii:ips=no", "a@b.co 8.8.8.8") == "email@example.com 8.8.8.8");
  CHECK(clean_text("pii", "\xC3\xA9 a@b.co \xE4\xBD\xA0") ==
        "\xC3\xA9 email@example.com \xE4\xBD\xA0");
}

TEST_CASE("pii counts what it replaces", "[clean]") {
  const StepCounts counts = cleaned({"pii"}, "a@b.co 8.8.8.8").last;
  CHECK(counts.edits == std::vector<lm::i64>{1, 1});
  CHECK(counts.chars_removed == 13);
  CHECK(counts.chars_added == 17 + 14);
}

TEST_CASE("mojibake repairs what was read as Windows-1252", "[clean]") {
  const auto fixed = [](std::string_view text) { return clean_text("mojibake", text); };
  // "caf" and e with acute; a right quotation mark; a face.
  CHECK(fixed("caf\xC3\x83\xC2\xA9") == "caf\xC3\xA9");
  CHECK(fixed("it\xC3\xA2\xE2\x82\xAC\xE2\x84\xA2s") == "it\xE2\x80\x99s");
  CHECK(fixed("\xC3\xB0\xC5\xB8\xCB\x9C\xE2\x82\xAC") == "\xF0\x9F\x98\x80");
  // Latin-1: the second byte is a control.
  CHECK(fixed("it\xC3\xA2\xC2\x80\xC2\x99s") == "it\xE2\x80\x99s");
  // Twice over.
  CHECK(fixed("caf\xC3\x83\xC6\x92\xC3\x82\xC2\xA9") == "caf\xC3\xA9");
  // Cyrillic: six letters.
  CHECK(fixed("\xC3\x90\xC2\xBF\xC3\x91\xE2\x82\xAC\xC3\x90\xC2\xB8") ==
        "\xD0\xBF\xD1\x80\xD0\xB8");
  // A run that could be meant, in a line with one that could not, and in a line of its own.
  CHECK(fixed("\xC3\xA9\xE2\x80\x9D\xE2\x80\xA6 caf\xC3\x83\xC2\xA9") ==
        "\xE9\x94\x85 caf\xC3\xA9");
  CHECK(fixed("\xC3\xA9\xE2\x80\x9D\xE2\x80\xA6\ncaf\xC3\x83\xC2\xA9") ==
        "\xC3\xA9\xE2\x80\x9D\xE2\x80\xA6\ncaf\xC3\xA9");
  // A control in the place of a dash.
  CHECK(fixed("a \xC2\x96 b") == "a \xE2\x80\x93 b");
}

TEST_CASE("mojibake leaves alone what can be meant", "[clean]") {
  for (const char* const text :
       {"caf\xC3\xA9", "CAF\xC3\x89\xC2\xBB", "CAF\xC3\x89\xE2\x84\xA2", "3 \xC3\x85\xC2\xB2",
        "\xC3\xA9\xE2\x80\x9D\xE2\x80\xA6", "Fu\xC3\x9F\xC2\xB9", "\xC3\x91 a", "20 \xE2\x82\xAC",
        "\xC3\xA9\xC3\xA9\xC3\xA9", "stra\xC3\x9F\x65", "\xC2\x81", ""})
    CHECK(clean_text("mojibake", text) == text);
}
