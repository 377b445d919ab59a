// The database's files: what is found, under which form, and what is refused.

#include "uq/wordnet.h"

#include <algorithm>

#include "../../tiny_wordnet.h"
#include "catch.h"
#include "core/error.h"

using lm::uq::PartOfSpeech;
using lm::uq::WordNet;
using Words = std::vector<std::string>;

TEST_CASE("synonyms, hypernyms and hyponyms of all senses are found", "[uq]") {
  const lm::test::TempDir dir;
  lm::test::write_tiny_wordnet(dir.file("wn"));
  const WordNet wordnet(dir.file("wn"));
  CHECK(wordnet.related("dog") == Words{"domestic dog", "canine", "canid", "puppy", "frump"});
  CHECK(wordnet.related("domestic dog") == Words{"dog", "canine", "canid", "puppy"});
  CHECK(wordnet.related("animal") == Words{"beast", "canine", "canid", "mouse"});
  CHECK(wordnet.related("quickly") == Words{"rapidly", "speedily"});
  CHECK(wordnet.related("remote") == Words{"outback"});
  CHECK(wordnet.related("puppy") == Words{"dog", "domestic dog"});
  CHECK(wordnet.related("zebra").empty());
  CHECK(wordnet.related("").empty());
  CHECK(wordnet.related("1").empty());
}

TEST_CASE("a synonym is of the first sense, and none where it has no other word", "[uq]") {
  const lm::test::TempDir dir;
  lm::test::write_tiny_wordnet(dir.file("wn"));
  const WordNet wordnet(dir.file("wn"));
  CHECK(wordnet.synonym("dog") == "domestic dog");
  CHECK(wordnet.synonym("dogs") == "domestic dog");
  CHECK(wordnet.synonym("quickly") == "rapidly");
  CHECK(wordnet.synonym("puppy").empty());
  CHECK(wordnet.synonym("zebra").empty());
  CHECK(wordnet.synonym("").empty());
}

TEST_CASE("inflected words are found under their base form, which is not given back", "[uq]") {
  const lm::test::TempDir dir;
  lm::test::write_tiny_wordnet(dir.file("wn"));
  const WordNet wordnet(dir.file("wn"));
  CHECK(wordnet.related("dogs") == wordnet.related("dog"));
  CHECK(wordnet.related("mice") == Words{"animal", "beast"});
  CHECK(wordnet.related("running") == Words{"sprint", "travel", "go", "move"});
  CHECK(wordnet.related("moved") == Words{"travel", "go", "run", "sprint"});
  CHECK(wordnet.related("bigger") == Words{"large"});
}

TEST_CASE("suffixes say which part of speech is looked for first", "[uq]") {
  CHECK(lm::uq::likely_parts("quickly")[0] == PartOfSpeech::kAdverb);
  CHECK(lm::uq::likely_parts("running")[0] == PartOfSpeech::kVerb);
  CHECK(lm::uq::likely_parts("famous")[0] == PartOfSpeech::kAdjective);
  CHECK(lm::uq::likely_parts("ring")[0] == PartOfSpeech::kNoun);
  const auto parts = lm::uq::likely_parts("hopeless");
  CHECK(parts == std::array<PartOfSpeech, 4>{PartOfSpeech::kAdjective, PartOfSpeech::kNoun,
                                             PartOfSpeech::kVerb, PartOfSpeech::kAdverb});
}

TEST_CASE("uses are summed over the senses of a word", "[uq]") {
  const lm::test::TempDir dir;
  lm::test::write_tiny_wordnet(dir.file("wn"));
  const WordNet wordnet(dir.file("wn"));
  CHECK(wordnet.uses("dogs") == 45);
  CHECK(wordnet.uses("house") == 9);
  CHECK(wordnet.uses("puppy") == 0);
  CHECK(wordnet.uses("zebra") == 0);
}

TEST_CASE("files that are absent or not of the format are refused by name", "[uq]") {
  const lm::test::TempDir dir;
  const std::string folder = dir.file("wn");
  lm::test::write_tiny_wordnet(folder);
  const auto kind_of = [&](const auto& body) {
    try {
      body();
    } catch (const lm::Error& e) {
      CHECK(e.message().find(folder) == 0);
      return static_cast<int>(e.kind());
    }
    return 0;
  };
  // every cut of the nouns, and a byte of them that is another
  std::string data = lm::io::read_file(folder + "/data.noun");
  const WordNet whole(folder);
  const std::string uncut = data;
  int refused = 0;
  for (std::size_t size = 0; size < uncut.size(); size += 7) {
    std::ofstream(folder + "/data.noun") << uncut.substr(0, size);
    const int kind = kind_of([&] { WordNet(folder).related("dog"); });
    CHECK((kind == 0 || kind == static_cast<int>(lm::ErrorKind::kData)));
    refused += kind != 0 ? 1 : 0;
  }
  CHECK(refused > 10);
  for (std::size_t at = 60; at < uncut.size(); at += 3) {
    data = uncut;
    data[at] = 'x';
    std::ofstream(folder + "/data.noun") << data;
    kind_of([&] { WordNet(folder).related("dog"); });
  }
  std::ofstream(folder + "/data.noun") << uncut;
  std::ofstream(folder + "/index.noun") << "dog n 9 0 1 0 00000000\n";
  CHECK(kind_of([&] { WordNet(folder).related("dog"); }) == 65);
  std::filesystem::remove(folder + "/data.verb");
  CHECK(kind_of([&] { WordNet{folder}; }) == 66);
}

TEST_CASE("the real database knows what is near a dog", "[uq]") {
  const std::string folder = "/usr/share/wordnet";
  if (!std::filesystem::exists(folder + "/data.noun")) LM_SKIP("wordnet-base is not installed");
  const WordNet wordnet(folder);
  const Words near = wordnet.related("dogs");
  for (const char* word : {"domestic dog", "Canis familiaris", "canine", "puppy", "corgi", "hound",
                           "frump", "andiron", "support"})
    CHECK(std::find(near.begin(), near.end(), word) != near.end());
  CHECK(std::find(near.begin(), near.end(), "dog") == near.end());
  CHECK(wordnet.uses("dog") == 44);
  const Words cities = wordnet.related("city");  // kinds, not instances
  CHECK(std::find(cities.begin(), cities.end(), "metropolis") != cities.end());
  CHECK(std::find(cities.begin(), cities.end(), "Boston") == cities.end());
  CHECK(wordnet.related("geese") == wordnet.related("goose"));
  CHECK(wordnet.related("happily").front() == "merrily");
}
