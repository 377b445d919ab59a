// Unicode's words, OLMo's pieces.

#include "tagging.h"

using namespace lm;
using namespace lm::tag;

TEST_CASE("uniseg: a document's segments count its white space, not that at its ends", "[tag]") {
  CHECK(value(found("uniseg_length_v1", " One two.\n"), "length") == 4);
  CHECK(value(found("uniseg_length_v1", " \n"), "length") == 0);
  CHECK(value(found("uniseg_length_v1", ""), "length") == 0);
}

TEST_CASE("uniseg: paragraphs have their words and marks, and less than nothing", "[tag]") {
  const std::string text = "One two.\n \nthree\n";
  CHECK(found("uniseg_length_paragraphs_v1", text) ==
        std::map<std::string, Spans>{{"paragraph", {{0, 9, 3}, {11, 17, 1}}},
                                     {"negative_paragraph", {{0, 9, -3}, {11, 17, -1}}}});
  const auto empty = found("uniseg_length_paragraphs_with_empty_v1", text);
  CHECK(empty.at("paragraph") == Spans{{0, 9, 3}, {9, 11, 0}, {11, 17, 1}});
  CHECK_FALSE(std::signbit(empty.at("negative_paragraph")[1].score));
  const auto all = found("uniseg_length_paragraphs_with_doc_length_v1", text);
  CHECK(value(all, "document") == 4);
  CHECK(value(all, "negative_document") == -4);
  CHECK(found("uniseg_length_paragraphs_v1", "").empty());
}

TEST_CASE("olmo: marks and digits stand alone with a blank before them", "[tag]") {
  // Hello|,| world|!|  |x| 1|2|'s
  CHECK(value(found("olmo_pretokenizer_v1", "Hello, world!  x 12"), "length") == 8);
  CHECK(value(found("olmo_pretokenizer_v1", ""), "length") == 0);
  CHECK(value(found("olmo_pretokenizer_v1", " \n"), "length") == 1);
  // U+20AC is a symbol, U+0661 a digit.
  CHECK(value(found("olmo_pretokenizer_v1", "\xE2\x82\xAC\xD9\xA1\xD9\xA1"), "length") == 3);
  const auto all = found("olmo_pretokenizer_with_paragraphs_v1", "a b\n\nc.");
  CHECK(all.at("paragraph") == Spans{{0, 4, 3}, {5, 7, 2}});
  CHECK(value(all, "document") == 5);
}
