#include <algorithm>

#include "tagging.h"

using namespace lm;
using namespace lm::tag;

namespace {

const std::string kEnglish =
    "This is a plain English sentence, and nobody would take it for anything else.";
const std::string kGerman =
    "Das ist ein ganz gew\xC3\xB6hnlicher deutscher Satz, den jeder sofort versteht.";
// Named by the full tables alone.
const std::string kHawaiian =
    "Ua hanau kuokoa ia na kanaka apau loa, a ua kaulike no ka hanohano a me na pono kanaka. Ua "
    "haawiia mai ia lakou ka noonoo a me ka lunaikehala.";

TagSettings dolma() {
  TagSettings settings;
  settings.dolma = true;
  return settings;
}

}  // namespace

TEST_CASE("CLD2 names languages by their codes", "[tag]") {
  CHECK(value(found("cld2_doc_v2", kGerman), "de") > 0.9);
  CHECK(value(found("cld2_doc_v2", kHawaiian), "haw") > 0.9);
  const std::map<std::string, Spans> two = found("cld2_doc_v2", kEnglish + " " + kGerman);
  CHECK(value(two, "en") > 0.3);
  CHECK(value(two, "de") > 0.3);
  CHECK(found("cld2_doc_v2", "").empty());
  CHECK(found("cld2_doc_v2", "x").empty());
}

TEST_CASE("the reference names languages by the first letters of their names", "[tag]") {
  const std::map<std::string, Spans> got = found("cld2_doc_v2", kGerman, dolma());
  CHECK(value(got, "ge") > 0.9);
  CHECK(got.at("un") == Spans{{0, 72, 0}, {0, 72, 0}});
  CHECK(got.size() == 2);
}

TEST_CASE("English by CLD2, in documents and paragraphs that are not blank", "[tag]") {
  const f64 sure = value(found("cld2_doc_v2", kEnglish), "en");
  CHECK(value(found("cld2_en_doc_v2", kEnglish), "en") == sure);
  CHECK(value(found("cld2_en_doc_v2", kGerman), "en") == 0);
  CHECK(value(found("cld2_en_doc_v2", ""), "not_en") == 1);
  const std::map<std::string, Spans> got =
      found("cld2_en_paragraph_with_doc_score_v2", kEnglish + "\n\n" + kGerman);
  const i64 first = isize(kEnglish) + 1;
  CHECK(got.at("en") == Spans{{0, first, sure}, {first + 1, first + 73, 0}});
  CHECK(value(got, "doc_en") == static_cast<f64>(first) * sure / static_cast<f64>(first + 73));
}

TEST_CASE("characters that CLD2 refuses are blanks", "[tag]") {
  for (const std::string& bad :
       {std::string(1, '\0'), std::string("\x01"), std::string("\x7F"), std::string("\xC2\x85"),
        std::string("\xEF\xBF\xBE"), std::string("\xEF\xB7\x90")}) {
    std::string text = kGerman;
    text.insert(8, bad);
    CHECK(value(found("cld2_doc_v2", text), "de") > 0.9);
  }
  CHECK(value(found("cld2_doc_v2", kGerman + "\x01", dolma()), "ge") > 0.9);
}
