// Golden values: sacrebleu 2.6.0 (corpus_bleu, corpus_chrf, corpus_ter with their defaults).

#include "text/translation.h"

#include "catch.h"

namespace lm::text {
namespace {

using Words = std::vector<std::string>;

const Words kTexts = {"The cat sat on the mat.",
                      "A quick brown fox, it jumps over 3,000 lazy dogs - 5-6 times!",
                      "",
                      "identical words here",
                      "completely different",
                      "the the the the the",
                      "Schnelle F\xc3\xbc"
                      "chse springen \xc3\xbc"
                      "ber (faule) Hunde; 1.5 m",
                      "the dog the cat chased yesterday evening in the park"};
const Words kReferences = {"The cat is sitting on the mat.",
                           "The quick brown fox jumps over 3,000 lazy dogs, 5-6 times!",
                           "something expected",
                           "identical words here",
                           "nothing in common at all",
                           "the cat",
                           "Schnelle braune F\xc3\xbc"
                           "chse springen \xc3\xbc"
                           "ber faule Hunde; 1.5 m",
                           "yesterday evening in the park the dog chased the cat"};
const Words kOthers = {"A cat sat on a mat.",
                       "A fast fox",
                       "",
                       "identical words",
                       "different things",
                       "the the dog",
                       "F\xc3\xbc"
                       "chse",
                       "in the park the cat chased the dog"};

template <typename Stats>
Stats summed(Stats (*stats)(std::string_view, std::span<const std::string>), bool several) {
  Stats out{};
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    Words references = {kReferences[i]};
    if (several) references.push_back(kOthers[i]);
    const Stats part = stats(kTexts[i], references);
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] += part[k];
  }
  return out;
}

TEST_CASE("BLEU of a corpus and of segments equals sacrebleu's", "[text]") {
  CHECK(bleu_score(summed(bleu_stats, false)) == Approx(44.50374826543612).epsilon(1e-13));
  CHECK(bleu_score(summed(bleu_stats, true)) == Approx(48.511148201156246).epsilon(1e-13));
  const f64 expected[] = {42.38365628278778, 51.18285025257892, 0.0, 0.0, 0.0, 10.682175159905848,
                          36.13284405728027, 51.69731539571708};
  for (std::size_t i = 0; i < kTexts.size(); ++i)
    CHECK(bleu_score(bleu_stats(kTexts[i], Words{kReferences[i]})) ==
          Approx(expected[i]).epsilon(1e-13));
}

TEST_CASE("chrF of a corpus and of segments equals sacrebleu's", "[text]") {
  CHECK(chrf_score(summed(chrf_stats, false)) == Approx(64.63106238900298).epsilon(1e-13));
  CHECK(chrf_score(summed(chrf_stats, true)) == Approx(69.92705868678604).epsilon(1e-13));
  const f64 expected[] = {
      49.6485170311433, 79.90633049779478, 0.0, 100.0, 10.285142282785142, 16.360086578466408,
      72.3655401714607, 80.91334692265373};
  for (std::size_t i = 0; i < kTexts.size(); ++i)
    CHECK(chrf_score(chrf_stats(kTexts[i], Words{kReferences[i]})) ==
          Approx(expected[i]).epsilon(1e-13));
}

TEST_CASE("TER of a corpus and of segments equals sacrebleu's", "[text]") {
  CHECK(ter_score(summed(ter_stats, false)) == Approx(44.89795918367347).epsilon(1e-13));
  CHECK(ter_score(summed(ter_stats, true)) == Approx(43.24324324324324).epsilon(1e-13));
  const f64 expected[] = {
      28.57142857142857, 45.45454545454545, 100.0, 0.0, 100.0, 200.0, 22.22222222222222, 20.0};
  for (std::size_t i = 0; i < kTexts.size(); ++i)
    CHECK(ter_score(ter_stats(kTexts[i], Words{kReferences[i]})) ==
          Approx(expected[i]).epsilon(1e-13));
}

TEST_CASE("shifts are found as sacrebleu finds them", "[text]") {
  const auto words = [](std::string_view text) {
    Words out;
    for (const char c : text)
      if (c != ' ') out.emplace_back(1, c);
    return out;
  };
  struct Case {
    const char* text;
    const char* reference;
    i64 edits;
  };
  constexpr Case cases[] = {{"b e f f f h h b", "f f f h h b b e", 1},
                            {"a a b b", "b a a", 2},
                            {"d b b b b b d b a a a", "d b b a b b b b a d", 3},
                            {"a a a b c b b b c b c a a", "a b c a a c b b c a a b", 3},
                            {"a b b b b a a a b a a a", "b b b a a a a a a b a b", 3},
                            {"b d c b e c e g a d b g b g g b", "b d g b g g b a c b c e b g", 5},
                            {"c b a c a a a a", "c a b a c a a a", 1},
                            {"e d g g a e a e", "e e d g g a e a", 1},
                            {"a f f g a d g g", "a f f d c g a g", 2},
                            {"b c c b b b b b a c", "b b c c b b b b a c", 1},
                            {"a c d b a d d", "a d c d b b a", 3},
                            {"a b a c b a c a b b", "a a a c b c a b b b", 2},
                            {"d d d d c e a f e b g a d c", "d d d f e b d c c g a d c", 4},
                            {"a c a g h h a b h h d g b", "a c a g h h a b g h h d b", 1},
                            {"", "a b", 2},
                            {"a b", "", 2},
                            {"", "", 0}};
  for (const Case& each : cases) {
    INFO(each.text << " | " << each.reference);
    CHECK(shift_edit_distance(words(each.text), words(each.reference)) == each.edits);
  }
}

TEST_CASE("words of mteval-v13a", "[text]") {
  CHECK(
      words_13a("Hello, world! It's 3.5% (of 1,000) -- \"ok\"? a-b 5-6 x/y $5 &amp; &quot;q&quot; "
                "end.") == Words{"Hello", ",",     "world", "!",  "It's", "3.5", "%",  "(",
                                 "of",    "1,000", ")",     "--", "\"",   "ok",  "\"", "?",
                                 "a-b",   "5",     "-",     "6",  "x",    "/",   "y",  "$",
                                 "5",     "&",     "\"",    "q",  "\"",   "end", "."});
  CHECK(words_13a("1.5.2, .5 5. a.b") == Words{"1.5.2", ",", ".", "5", "5", ".", "a", ".", "b"});
  CHECK(words_13a("tab\there  two") == Words{"tab", "here", "two"});
  CHECK(words_13a(" \n").empty());
}

}  // namespace
}  // namespace lm::text
