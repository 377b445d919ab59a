#include "tagging.h"

using namespace lm;
using namespace lm::tag;

TEST_CASE("fineweb: a document by hand", "[tag]") {
  const std::string longer = "A line of more than thirty characters";  // 37
  const auto all = found("fineweb", longer + ".\n \nShort\n" + longer + ".\n\"Quoted.\"\t\r\n" +
                                        "\xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82");
  // Five lines that are not blank; U+3002 ends a sentence, a quotation mark or white space does
  // not.
  CHECK(value(all, "fraction_of_lines_ending_with_terminal_mark") == Approx(3.0 / 5));
  CHECK(value(all, "fraction_of_short_lines") == Approx(3.0 / 5));
  // 38 + 1 + 5 + 38 + 11 + 3 characters beside the newlines, one line of 38 stood before.
  CHECK(value(all, "fraction_of_characters_in_duplicate_lines") == Approx(38.0 / 96));
  // Five newlines; 7 + 1 + 7 + 1 + 1 words.
  CHECK(value(all, "newline_to_word_ratio") == Approx(5.0 / 17));
  CHECK(value(all, "failed_rules") == 1);
}

TEST_CASE("fineweb: limits are allowed, beyond them is not", "[tag]") {
  // 30 characters are short, 31 are not.
  CHECK(value(found("fineweb", std::string(30, 'x')), "fraction_of_short_lines") == 1);
  CHECK(value(found("fineweb", std::string(31, 'x')), "fraction_of_short_lines") == 0);
  // Three newlines to ten words: 0.3, which passes.
  const auto all = found("fineweb", "a.\nb.\nc.\nd e f g h i j k l m n o p q r s t u v w x y z.");
  CHECK(value(all, "newline_to_word_ratio") == Approx(3.0 / 26));
  CHECK(value(all, "failed_rules") == 1);  // short lines
}

TEST_CASE("fineweb: nothing at all fails", "[tag]") {
  for (const char* text : {"", "\n", " "}) {
    const auto all = found("fineweb", text);
    CHECK(value(all, "fraction_of_lines_ending_with_terminal_mark") == 0);
    CHECK(value(all, "failed_rules") >= 1);
  }
  for (const char* end : {".", "?", "!", "\xD8\x9F", "\xE1\x9F\x96"})
    CHECK(value(found("fineweb", std::string("x") + end),
                "fraction_of_lines_ending_with_terminal_mark") == 1);
  for (const char* end :
       {"", ",", ":", ")", "\"", "'", ". ", "\xE2\x80\x9D", "\xE2\x80\xA6", "\xC3\xA9"})
    CHECK(value(found("fineweb", std::string("x") + end),
                "fraction_of_lines_ending_with_terminal_mark") == 0);
}
