#include "ngram/ccnet.h"

#include "catch.h"

using lm::ngram::ccnet_normalise;

// Expected strings follow from the published steps: strip, lower, accents, digits, punctuation,
// control characters, in this order.
TEST_CASE("CCNet normalisation strips, lowers, drops accents and maps digits", "[ngram]") {
  CHECK(ccnet_normalise("") == "");
  CHECK(ccnet_normalise(" \t\n") == "");
  CHECK(ccnet_normalise("  Hello World \n") == "hello world");
  CHECK(ccnet_normalise("\xC3\x89t\xC3\xA9 \xC3\x85") == "ete a");  // E acute, A ring
  CHECK(ccnet_normalise("n\xCC\x83o") == "no");                     // n + combining tilde
  CHECK(ccnet_normalise("2024-10-05") == "0000-00-00");
  CHECK(ccnet_normalise("\xD9\xA3\xE0\xA5\xAD") == "00");  // Arabic-Indic 3, Devanagari 7
  CHECK(ccnet_normalise("\xC2\xB2") == "\xC2\xB2");        // superscript two is no decimal
  CHECK(ccnet_normalise("\xC2\xA0x\xE3\x80\x80") == "x");  // NBSP and ideographic blank
  CHECK(ccnet_normalise("\xC4\xB0") == "i");               // dotted I: i + mark, mark dropped
  CHECK(ccnet_normalise("\xCE\x9F\xCE\x94\xCE\x9F\xCE\xA3") ==
        "\xCE\xBF\xCE\xB4\xCE\xBF\xCF\x82");  // final sigma
}

TEST_CASE("CCNet normalisation maps its 34 marks and deletes control characters", "[ngram]") {
  const std::pair<const char*, const char*> kMarks[] = {
      {"\xEF\xBC\x8C", ","},  {"\xE3\x80\x82", "."},
      {"\xE3\x80\x81", ","},  {"\xE2\x80\x9E", "\""},
      {"\xE2\x80\x9D", "\""}, {"\xE2\x80\x9C", "\""},
      {"\xC2\xAB", "\""},     {"\xC2\xBB", "\""},
      {"\xEF\xBC\x91", "0"},  // the full-width one is a digit before it is a mark
      {"\xE3\x80\x8D", "\""}, {"\xE3\x80\x8C", "\""},
      {"\xE3\x80\x8A", "\""}, {"\xE3\x80\x8B", "\""},
      {"\xC2\xB4", "'"},      {"\xE2\x88\xB6", ":"},
      {"\xEF\xBC\x9A", ":"},  {"\xEF\xBC\x9F", "?"},
      {"\xEF\xBC\x81", "!"},  {"\xEF\xBC\x88", "("},
      {"\xEF\xBC\x89", ")"},  {"\xEF\xBC\x9B", ";"},
      {"\xE2\x80\x93", "-"},  {"\xE2\x80\x94", " - "},
      {"\xEF\xBC\x8E", ". "}, {"\xEF\xBD\x9E", "~"},
      {"\xE2\x80\x99", "'"},  {"\xE2\x80\xA6", "..."},
      {"\xE2\x94\x81", "-"},  {"\xE3\x80\x88", "<"},
      {"\xE3\x80\x89", ">"},  {"\xE3\x80\x90", "["},
      {"\xE3\x80\x91", "]"},  {"\xEF\xBC\x85", "%"},
      {"\xE2\x96\xBA", "-"}};
  for (const auto& [mark, to] : kMarks) {
    CHECK(ccnet_normalise(std::string("a") + mark + "b") == std::string("a") + to + "b");
  }
  // Other quotation marks and dashes stay.
  CHECK(ccnet_normalise("\xE2\x80\x98"
                        "a\xE2\x80\x95"
                        "b") ==
        "\xE2\x80\x98"
        "a\xE2\x80\x95"
        "b");
  // D-22: lines are joined without a blank; U+0085 and U+009F go too, U+00A0 stays inside.
  CHECK(ccnet_normalise("one\ntwo\tthree") == "onetwothree");
  CHECK(ccnet_normalise("a\xC2\x85"
                        "b\xC2\x9F"
                        "c\xC2\xA0"
                        "d\x7F") ==
        "abc\xC2\xA0"
        "d");
  CHECK(ccnet_normalise(std::string_view("a\0b", 3)) == "ab");
}
