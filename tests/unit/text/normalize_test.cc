#include "text/normalize.h"

#include <string>
#include <vector>

#include "catch.h"
#include "core/random.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

using namespace lm;
using namespace lm::text;

namespace {

std::string by(Normaliser n, std::string_view text) {
  return normalise(n, text);
}

/// The definition of the datatrove normaliser, one pass per rule over code points.
std::string slow_datatrove(std::string_view text) {
  const std::u32string lowered = to_utf32(to_lower(text));
  std::u32string numbers;
  for (std::size_t i = 0; i < lowered.size();) {
    if (!is_decimal_digit(lowered[i])) {
      numbers.push_back(lowered[i++]);
      continue;
    }
    const auto digits = [&] {
      while (i < lowered.size() && is_decimal_digit(lowered[i]))
        ++i;
    };
    digits();
    if (i + 1 < lowered.size() && lowered[i] == '.' && is_decimal_digit(lowered[i + 1])) {
      ++i;
      digits();
    }
    numbers.push_back('0');
  }
  const std::u32string marks =
      U"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
      U"\u2014\u201D\uFF1A\uFF05\u3008\u3001\u2501\u3010\u300C\u300D\uFF0C\u3011\uFF1B\u201C\u300A"
      U"\u201E"
      U"\u2019\u2236\u00B4\uFF0E\uFF08\u2013\uFF1F\uFF01\uFF5E\u00AB\u3009\u300B\uFF09\u3002\u2026"
      U"\u25BA"
      U"\u00BB";
  std::string spaced;
  for (const char32_t cp : numbers) {
    const bool control = cp < 32 || (cp >= 127 && cp < 160);
    if (control || marks.find(cp) != std::u32string::npos) {
      spaced.push_back(' ');
    } else {
      append_utf8(spaced, cp);
    }
  }
  std::string out;
  for (const std::string_view word : words_ws(spaced)) {
    const std::string bare = nfd_without_marks(word);
    if (bare.empty()) continue;
    if (!out.empty()) out.push_back(' ');
    out += bare;
  }
  return out;
}

std::string random_text(u64 seed, u64 choice) {
  const std::vector<std::string> pieces = {"a",
                                           "Bc",
                                           " ",
                                           "  ",
                                           "\n",
                                           "1",
                                           "23",
                                           ".",
                                           ",",
                                           "-",
                                           "4.5",
                                           "The",
                                           "\t",
                                           "'",
                                           "x9",
                                           "\xC3\x89",
                                           "\xC2\xA0",
                                           "\xE2\x80\x9C",
                                           "\xCE\xA3",
                                           "\xCC\x81",
                                           "\xE3\x80\x80",
                                           "\xD9\xA3",
                                           "\xEF\xBC\x91",
                                           "\xE4\xB8\xAD",
                                           "\xE3\x80\x82",
                                           "\xF0\x9F\x98\x80",
                                           "\xC4\xB0",
                                           "\x01"};
  const RandomStream random(seed, RandomPurpose::kOther);
  std::string text;
  for (u64 i = 0; i < 60; ++i)
    text += pieces[random.below(i, choice)];
  return text;
}

}  // namespace

TEST_CASE("normaliser names map both ways", "[text]") {
  for (const std::string& name : normaliser_names()) {
    const std::optional<Normaliser> found = find_normaliser(name);
    REQUIRE(found);
    CHECK(normaliser_name(*found) == name);
  }
  CHECK_FALSE(find_normaliser("none"));
}

TEST_CASE("raw changes nothing", "[text]") {
  CHECK(by(Normaliser::kRaw, " A\n1\xC2\xA0") == " A\n1\xC2\xA0");
}

TEST_CASE("datatrove: lower, numbers to 0, punctuation to blanks, marks off", "[text]") {
  const Normaliser n = Normaliser::kDatatrove;
  CHECK(by(n, "") == "");
  CHECK(by(n, " ?! \n") == "");
  CHECK(by(n, "Hello,  World!") == "hello world");
  CHECK(by(n, "pi is 3.14, or 22/7.") == "pi is 0 or 0 0");
  CHECK(by(n, "1.2.3") == "0 0");  // "1.2" is a number, then a point, then "3"
  CHECK(by(n, "1,000 a1b22") == "0 0 a0b0");
  CHECK(by(n, "7.") == "0");
  CHECK(by(n, "don't") == "don t");
  CHECK(by(n, "Caf\xC3\xA9 cr\xC3\xA8me") == "cafe creme");
  CHECK(by(n, "\xE2\x80\x9CQuoted\xE2\x80\x9D \xE2\x80\x94 dash") == "quoted dash");
  CHECK(by(n, "\xD9\xA3\xD9\xA4 x") == "0 x");  // Arabic-Indic digits
  CHECK(by(n,
           "\xC3\xA9"
           "3.5x") == "e0x");  // a number inside a word that takes the slow way
  CHECK(by(n,
           "a\xC2\xA0"
           "b\xE3\x80\x80"
           "c") == "a b c");
}

TEST_CASE("datatrove equals its definition pass by pass", "[text]") {
  for (u64 seed = 0; seed < 400; ++seed) {
    const std::string text = random_text(seed, seed % 2 == 0 ? 15 : 28);
    INFO("seed " << seed);
    REQUIRE(by(Normaliser::kDatatrove, text) == slow_datatrove(text));
  }
}

TEST_CASE("ccnet-dedup deletes marks and controls and keeps blanks", "[text]") {
  const Normaliser n = Normaliser::kCcnetDedup;
  CHECK(by(n, " \n ") == "");
  CHECK(by(n, "  Call 555-0199, now!  ") == "call 000-0000, now!");
  CHECK(by(n, "A \xE2\x80\x93 B\xE2\x80\xA6") == "a  b");  // en dash and ellipsis go, blanks stay
  CHECK(by(n, "one\ttwo\nthree") == "onetwothree");        // tab and newline are controls
  CHECK(by(n, "\xC3\x89t\xC3\xA9 1\xD9\xA3") == "\xC3\xA9t\xC3\xA9 00");
}

TEST_CASE("slimpajama composes, lowers, deletes ASCII punctuation", "[text]") {
  const Normaliser n = Normaliser::kSlimPajama;
  CHECK(by(n, "Don't  stop - NOW.") == "dont stop now");
  CHECK(by(n, "Cafe\xCC\x81!") == "caf\xC3\xA9");
  CHECK(by(n, "\xE2\x80\x9Cx\xE2\x80\x9D") == "\xE2\x80\x9Cx\xE2\x80\x9D");
  CHECK(by(n,
           "a\x02\x01"
           "b") ==
        "a\x02\x01"
        "b");  // controls are not punctuation
}

TEST_CASE("alnum keeps letters and numbers of any script", "[text]") {
  const Normaliser n = Normaliser::kAlnum;
  CHECK(by(n, "A-b_c 12%") == "a b c 12");
  CHECK(by(n, "\xE4\xB8\xAD\xE6\x96\x87\xE3\x80\x82\xC3\xA9") ==
        "\xE4\xB8\xAD\xE6\x96\x87 \xC3\xA9");
  CHECK(by(n, "x\xC2\xB2") == "x\xC2\xB2");  // superscript two has a digit value
}

TEST_CASE("gpt3 deletes punctuation of any script", "[text]") {
  const Normaliser n = Normaliser::kGpt3;
  CHECK(by(n, "It's 5 o'clock, (Z)") == "its 5 oclock z");
  CHECK(by(n, "\xE2\x80\x9CHi\xE2\x80\x9D\xE3\x80\x82 \xC2\xBF?") == "hi");
}

TEST_CASE("url keeps host and path", "[text]") {
  const Normaliser n = Normaliser::kUrl;
  CHECK(by(n, "https://User@Example.COM:8080/A/b/?q=1#f") == "example.com:8080/a/b");
  CHECK(by(n, "http://www.x.org/") == "www.x.org");
  CHECK(by(n, "x.org/p?u=http://y") == "x.org/p");
  CHECK(by(n, "//x.org/a@b") == "//x.org/a@b");
  CHECK(by(n, "") == "");
}

TEST_CASE("collapsing normalisers never leave outer or double blanks", "[text]") {
  for (const Normaliser n :
       {Normaliser::kDatatrove, Normaliser::kSlimPajama, Normaliser::kAlnum, Normaliser::kGpt3}) {
    for (u64 seed = 0; seed < 100; ++seed) {
      const std::string out = by(n, random_text(seed, 28));
      REQUIRE(out.find("  ") == std::string::npos);
      REQUIRE(strip(out) == out);
      REQUIRE(is_valid_utf8(out));
    }
  }
}
