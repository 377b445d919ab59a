#include "transform/units.h"

#include "catch.h"

namespace lm::transform {

namespace {

std::vector<std::string> parts(std::string_view text, const std::vector<Span>& units) {
  std::vector<std::string> out;
  for (const Span& unit : units)
    out.emplace_back(part(text, unit));
  return out;
}

std::vector<std::string> by_rules(std::string_view text) {
  std::vector<std::string> out;
  const std::vector<Span> tokens = word_tokens(text);
  for (const Span& body : sentence_bodies(text))
    for (std::string& one : parts(text, units_by_rules(text, body, tokens)))
      out.push_back(std::move(one));
  return out;
}

using Strings = std::vector<std::string>;

/// Texts of all kinds of characters, from draws.
std::string drawn_text(u64 seed) {
  constexpr std::string_view kPieces[] = {"Alice",
                                          "Bob",
                                          "the ",
                                          "of ",
                                          " in",
                                          " ",
                                          "  ",
                                          ", ",
                                          ". ",
                                          "! ",
                                          "\"",
                                          "(",
                                          ") ",
                                          "\n",
                                          "is ",
                                          "5 km",
                                          "3",
                                          "'",
                                          "-",
                                          "--",
                                          "\xE4\xBA\xAC",
                                          "\xEF\xBC\x8C",
                                          "x",
                                          "\t",
                                          "[",
                                          "]",
                                          "...",
                                          "?",
                                          "\xC2\xAB",
                                          "\xC2\xBB",
                                          "\xE2\x80\x94",
                                          "Zo\xC3\xAB"};
  DrawRow row = Draws(seed, "text", 0).row(Purpose::kMix);
  std::string out;
  for (i64 n = row.below(60); n > 0; --n)
    out += kPieces[usize(row.below(isize(std::span(kPieces))))];
  return out;
}

}  // namespace

TEST_CASE("rules keep names, quotations and measures whole and relations apart", "[transform]") {
  CHECK(by_rules("Alice Liddell is the mother of Bob.") ==
        Strings{"Alice Liddell", "is", "the mother", "of", "Bob"});
  CHECK(by_rules("She ran 5 km, then \"slept for hours\" in New York!") ==
        Strings{"She ran", "5 km", ",", "then", "\"slept for hours\"", "in", "New York"});
  CHECK(by_rules("It cost $5 million (or so) by June 13 2038.") ==
        Strings{"It cost", "$5 million", "(or so)", "by", "June 13 2038"});
  CHECK(by_rules("near Rome 5 km away") == Strings{"near", "Rome", "5 km", "away"});
  // Apostrophes, hyphens, dots inside of words and signs stay.
  CHECK(by_rules("don't well-known U.S. 50% http://a.b/c done.") ==
        Strings{"don't well-known", "U.S. 50%", "http://a.b/c done"});
  // An abbreviation's dot is no mark; three dots are one.
  CHECK(by_rules("he waited... then left.") == Strings{"he waited", "...", "then left"});
  // The first word is a name only if the next one is.
  CHECK(by_rules("Known to all, Rome fell.") == Strings{"Known", "to", "all", ",", "Rome", "fell"});
}

TEST_CASE("marks that open without closing go with what follows", "[transform]") {
  CHECK(by_rules("say (yes or no") == Strings{"say", "(yes or no"});
  CHECK(by_rules("say yes) or no") == Strings{"say yes)", "or no"});
  const std::string many(100000, '(');
  CHECK(by_rules("a" + std::string(60000, ';') + "a b").size() == 1);
  CHECK(by_rules(many).size() == 2);  // cut as too long for a sentence
}

TEST_CASE("punctuation of CJK cuts without blanks", "[transform]") {
  CHECK(by_rules("\xE6\x88\x91\xE5\x9C\xA8\xEF\xBC\x8C\xE4\xBB\x96\xE3\x80\x82") ==
        Strings{"\xE6\x88\x91\xE5\x9C\xA8", "\xEF\xBC\x8C", "\xE4\xBB\x96"});
}

TEST_CASE("final punctuation with its closing marks is no unit", "[transform]") {
  const auto tail = [](std::string_view text) {
    return std::string(text.substr(usize(final_punctuation(text, 0, isize(text)))));
  };
  CHECK(tail("Go.") == ".");
  CHECK(tail("He said \"go.\"") == ".\"");
  CHECK(tail("(see this)") == "");
  CHECK(tail("(see this).") == ".");
  CHECK(tail("What?!") == "?!");
  CHECK(tail("\xE5\xA5\xBD\xE3\x80\x82") == "\xE3\x80\x82");
}

TEST_CASE("units cover every sentence in order, none empty or too long", "[transform]") {
  for (u64 seed = 0; seed < 3000; ++seed) {
    const std::string text = drawn_text(seed);
    INFO("seed " << seed << ": " << text);
    const std::vector<Span> tokens = word_tokens(text);
    const i64 most = 1 + static_cast<i64>(seed % 5);
    i64 last = 0;
    for (const Span& body : sentence_bodies(text)) {
      REQUIRE(body.begin >= last);
      i64 at = body.begin;
      for (const Span& unit : limited(text, units_by_rules(text, body, tokens), tokens, most)) {
        REQUIRE(unit.begin < unit.end);
        for (i64 i = at; i < unit.begin; ++i)
          REQUIRE(std::string_view(" \t\n").find(text[usize(i)]) != std::string_view::npos);
        const i64 count = isize(word_tokens(part(text, unit)));
        REQUIRE(count <= most);
        at = unit.end;
      }
      REQUIRE(at == body.end);
      last = body.end;
    }
  }
}

TEST_CASE("given chunks join sentences and leave no gap", "[transform]") {
  const std::string text = "Mr. Smith is here. Bob is not.";
  const Result<std::vector<Span>> chunks = read_chunks("[[0,9],[13,17],[19,22]]", text, "c");
  REQUIRE(chunks);
  Strings found;
  for (const Span& body : sentence_bodies(text, *chunks))
    for (std::string& one : parts(text, units_by_chunks(text, body, *chunks)))
      found.push_back(std::move(one));
  CHECK(found == Strings{"Mr. Smith", "is", "here", "Bob", "is not"});
}

TEST_CASE("chunks that do not fit the text are faults", "[transform]") {
  const std::string text = "caf\xC3\xA9 au lait";
  const auto code = [&](std::string_view raw) {
    const Result<std::vector<Span>> read = read_chunks(raw, text, "c");
    return read ? std::string("good") : read.fault().code;
  };
  CHECK(code("[[0,5],[5,8]]") == "good");
  CHECK(code("[[0,4]]") == "range");        // inside of a character
  CHECK(code("[[0,5],[3,8]]") == "range");  // overlap
  CHECK(code("[[5,3]]") == "range");
  CHECK(code("[[0,99]]") == "range");
  CHECK(code("[[-1,3]]") == "range");
  CHECK(code("[[0,1.5]]") == "type");
  CHECK(code("[0,5]") == "type");
  CHECK(code("{}") == "type");
  CHECK(code("[[0,5,1]]") == "type");
  CHECK(code("[[0,5]") == "json");
}

TEST_CASE("a unit begins with the word of a surprising token", "[transform]") {
  // Mean 2, standard deviation 2 * sqrt(2): only 7 is above 4.83; it lies inside of "of".
  const std::string text = "one two of three";
  const std::vector<Surprisal> tokens = {{0, 0}, {4, 1}, {9, 7}, {11, 0}};
  CHECK(surprisal_cuts(text, tokens) == std::vector<i64>{8});
  CHECK(parts(text, units_by_cuts(text, {0, 16}, std::vector<i64>{8})) ==
        Strings{"one two", "of three"});
  // A token that begins with the blank before its word.
  const std::vector<Surprisal> blank = {{0, 0}, {3, 1}, {7, 7}, {10, 0}};
  CHECK(surprisal_cuts(text, blank) == std::vector<i64>{8});
  CHECK(surprisal_cuts(text, {}).empty());
}

TEST_CASE("pieces that share a character are one token", "[transform]") {
  const std::string text = "a \xE2\x82\xAC";
  const std::vector<std::pair<i64, i64>> offsets = {{0, 1}, {1, 3}, {3, 4}, {4, 5}};
  CHECK(piece_tokens(text, offsets) == std::vector<Span>{{0, 1}, {2, 5}});
}

TEST_CASE("what goes on for too long is cut at white space", "[transform]") {
  std::string text;
  while (isize(text) < 3 * kLongestSentence)
    text += "word ";
  const std::vector<Span> bodies = sentence_bodies(text);
  REQUIRE(bodies.size() == 4);
  for (const Span& body : bodies) {
    CHECK(body.end - body.begin <= kLongestSentence);
    CHECK(part(text, body).starts_with("word"));
    CHECK(part(text, body).ends_with("word"));
  }
}

}  // namespace lm::transform
