// Rewordings: what may be replaced, what the generations do, which texts come out.

#include "uq/gaap.h"

#include <cmath>
#include <map>
#include <set>

#include "../../tiny_wordnet.h"
#include "catch.h"

using lm::f64;
using lm::i64;
using lm::u64;
using lm::uq::Gaap;
using lm::uq::GaapOptions;
using lm::uq::Reworded;
using lm::uq::WordNet;

namespace {

f64 equally_rare(std::string_view) {
  return 0;
}

struct Database {
  Database() { lm::test::write_tiny_wordnet(dir.file("wn")); }
  lm::test::TempDir dir;
  WordNet wordnet() const { return WordNet(dir.file("wn")); }
};

// Good ones only; a value, because a loop over what a temporary holds would outlive it.
std::vector<Reworded> reworded(Gaap& gaap, const std::string& text, u64 seed) {
  lm::Result<std::vector<Reworded>> out = gaap.reword(text, seed, "q");
  REQUIRE(out);
  return std::move(*out);
}

std::set<std::string> texts_of(const std::vector<Reworded>& all) {
  std::set<std::string> out;
  for (const Reworded& one : all)
    out.insert(one.text);
  return out;
}

const std::string kLong =
    "The big dog ran to the house, and a mouse went quickly from the big house to a remote "
    "dwelling where some other animal moved the puppy.";

}  // namespace

TEST_CASE("words keep their apostrophes and hyphens", "[uq]") {
  const std::string text = "It's a well-known 'fact' -- na\xc3\xafve, 3.5!";
  std::vector<std::string> words;
  for (const lm::text::Span& span : lm::uq::words_of(text))
    words.push_back(text.substr(static_cast<std::size_t>(span.begin),
                                static_cast<std::size_t>(span.end - span.begin)));
  CHECK(words ==
        std::vector<std::string>{"It's", "a", "well-known", "fact", "na\xc3\xafve", "3", "5"});
  CHECK(lm::uq::words_of("").empty());
  CHECK(lm::uq::words_of("-'-").empty());
}

TEST_CASE("every single replacement of a short text comes out", "[uq]") {
  const Database base;
  const WordNet wordnet = base.wordnet();
  Gaap gaap(wordnet, {.count = 100, .keywords = 1, .similarity = 2}, equally_rare);
  // two keywords; the population is below the threshold at once, so nothing is combined
  const std::set<std::string> got = texts_of(*gaap.reword("A Puppy, quickly!", 1, "q"));
  CHECK(got == std::set<std::string>{"A, quickly!", "A Dog, quickly!", "A Domestic dog, quickly!",
                                     "A Puppy,!", "A Puppy, rapidly!", "A Puppy, speedily!"});
}

TEST_CASE("a text of one word is replaced, never left out", "[uq]") {
  const Database base;
  const WordNet wordnet = base.wordnet();
  Gaap gaap(wordnet, {}, equally_rare);
  CHECK(texts_of(*gaap.reword("puppy", 1, "q")) == std::set<std::string>{"dog", "domestic dog"});
  const lm::Result<std::vector<Reworded>> unknown = gaap.reword("zebra?", 1, "q");
  REQUIRE(!unknown);
  CHECK(unknown.fault().code == "reword");
  CHECK(!gaap.reword("", 1, "q"));
  CHECK(!gaap.reword("the of 12", 1, "q"));
}

TEST_CASE("a word that the database lacks is only left out", "[uq]") {
  const Database base;
  const WordNet wordnet = base.wordnet();
  Gaap gaap(wordnet, {.count = 100, .keywords = 1}, equally_rare);
  CHECK(texts_of(*gaap.reword("the zebra", 1, "q")) == std::set<std::string>{"the"});
  // all words at once are not
  const std::set<std::string> two = texts_of(*gaap.reword("zebra gnu", 1, "q"));
  CHECK(two == std::set<std::string>{"zebra", "gnu"});
}

TEST_CASE("quotes, numbers and what is to be kept stay", "[uq]") {
  const Database base;
  const WordNet wordnet = base.wordnet();
  Gaap gaap(wordnet, {.count = 100, .keywords = 1}, equally_rare);
  const std::string text =
      "dog \"house\" 1984 \xe2\x80\x9c"
      "big\xe2\x80\x9d mouse";
  const lm::text::Span mouse{lm::isize(text) - 5, lm::isize(text)};
  const std::vector<lm::text::Span> kept = {mouse};
  for (const std::string& one : texts_of(*gaap.reword(text, 1, "q", kept)))
    CHECK(one.ends_with(text.substr(one.starts_with("\"") ? 4 : 3)));
}

TEST_CASE("the rarest words are the keywords", "[uq]") {
  const Database base;
  const WordNet wordnet = base.wordnet();
  lm::uq::DocumentFrequencies documents;
  for (const char* text : {"a dog", "the Dog and a mouse", "dog dog house"})
    CHECK(documents.add(text) > 0);
  CHECK(documents.add("dog") == 0);
  CHECK(documents.rarity("dog") == std::log(5.0 / 5));
  CHECK(documents.rarity("mouse") == std::log(5.0 / 2));
  CHECK(documents.rarity("zebra") == std::log(5.0));
  Gaap gaap(wordnet, {.count = 100, .keywords = 0.34},
            [&](std::string_view word) { return documents.rarity(word); });
  for (const std::string& text : texts_of(*gaap.reword("dog mouse dog", 1, "q"))) {
    CHECK(text.starts_with("dog"));
    CHECK(text.ends_with("dog"));
  }
}

TEST_CASE("rewordings are different, are not the prompt, and depend on seed and id", "[uq]") {
  const Database base;
  const WordNet wordnet = base.wordnet();
  Gaap gaap(wordnet, {.count = 30}, equally_rare);
  Gaap other(wordnet, {.count = 30}, equally_rare);
  const auto plain = [](const std::vector<Reworded>& all) {
    std::vector<std::pair<std::string, i64>> out;
    for (const Reworded& one : all)
      out.emplace_back(one.text, one.generation);
    return out;
  };
  std::set<std::vector<std::pair<std::string, i64>>> runs;
  for (u64 seed = 0; seed < 4; ++seed) {
    for (const char* id : {"a", "b"}) {
      const std::vector<Reworded> got = *gaap.reword(kLong, seed, id);
      CHECK(got.size() == 30);
      CHECK(texts_of(got).size() == 30);
      CHECK(!texts_of(got).contains(kLong));
      CHECK(plain(got) == plain(*other.reword(kLong, seed, id)));
      runs.insert(plain(got));
      for (const Reworded& one : got) {
        CHECK(one.generation >= 0);
        CHECK(one.generation <= 10);
        CHECK((one.similarity >= 0 && one.similarity <= 1));
      }
    }
  }
  CHECK(runs.size() == 8);
}

TEST_CASE("later generations are less like the prompt", "[uq]") {
  const Database base;
  const WordNet wordnet = base.wordnet();
  Gaap gaap(wordnet, {.count = 40, .similarity = 0}, equally_rare);
  std::map<i64, std::pair<f64, i64>> by_age;  // in thirds
  for (u64 seed = 0; seed < 40; ++seed) {
    for (const Reworded& one : reworded(gaap, kLong, seed)) {
      auto& [sum, count] = by_age[one.generation == 0 ? 0 : one.generation <= 3 ? 1 : 2];
      sum += one.similarity;
      ++count;
    }
  }
  const auto mean = [&](i64 age) {
    return by_age[age].first / static_cast<f64>(by_age[age].second);
  };
  REQUIRE(by_age.size() == 3);
  CHECK(mean(0) > mean(1));
  CHECK(mean(1) > mean(2));
}

TEST_CASE("the options bound the generations", "[uq]") {
  const Database base;
  const WordNet wordnet = base.wordnet();
  const auto oldest = [&](const GaapOptions& options) {
    Gaap gaap(wordnet, options, equally_rare);
    i64 out = 0;
    for (u64 seed = 0; seed < 5; ++seed) {
      for (const Reworded& one : reworded(gaap, kLong, seed))
        out = std::max(out, one.generation);
    }
    return out;
  };
  CHECK(oldest({.generations = 0}) == 0);
  CHECK(oldest({.count = 100, .generations = 2}) == 2);
  CHECK(oldest({.count = 100, .similarity = 2}) == 0);
  CHECK(oldest({.count = 5, .gap = 11}) == 0);
  CHECK(oldest({.count = 100, .population = 3, .parents = 2}) > 0);
}
