// Properties of all cleaners and chains over random texts.

#include <random>

#include "cleaning.h"
#include "core/error.h"

using namespace lm::clean;

namespace {

/// Texts made of what the rules look at.
std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kParts = {
      "One two three. ",
      "word ",
      "WORD ",
      "a",
      "12",
      " ",
      "\n",
      "\n\n",
      "\r\n",
      "\t",
      ".",
      "...",
      "?",
      "\"",
      "[1]",
      "[edit]",
      "javascript ",
      "use cookies ",
      "12K views",
      "5 likes",
      "{",
      "\xC3\xA9",
      "\xC3\x83\xC2\xA9",
      "\xE2\x80\xA8",
      "\xC2\x85",
      "\xE4\xBD\xA0",
      "\xF0\x9F\x98\x80",
      "me@example.net ",
      "8.8.8.8 ",
      "10.0.0.1",
      "\xC3\xA2\xE2\x82\xAC\xE2\x84\xA2",
      "\xC2\x80",
      "Lines end here. ",
      "It is so, and that was to be with the rest of it.\n",
      "http://x.org/a%20b ",
      "#",
      "\xE2\x80\xA2 item\n",
      "(see) "};
  std::string out;
  const std::size_t n = random() % 40;
  for (std::size_t i = 0; i < n; ++i)
    out += kParts[random() % kParts.size()];
  return out;
}

const std::vector<std::string> kAll = {"c4:sentences=0",
                                       "c4",
                                       "c4-paragraph:paragraphs=1,length=30",
                                       "fineweb",
                                       "nemo-en:min-words=3",
                                       "ratio-lines",
                                       "counter-lines",
                                       "line-len",
                                       "word-removal",
                                       "pii",
                                       "mojibake"};

}  // namespace

TEST_CASE("cleaners leave well-formed text and find in original places what they remove",
          "[clean]") {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> specs;
    const std::size_t n = 1 + random() % 4;
    for (std::size_t i = 0; i < n; ++i)
      specs.push_back(kAll[random() % kAll.size()]);
    const std::string text = random_text(random);
    INFO("round " << round);
    const ChainPlan plan = plan_of(specs);
    Chain chain(plan);
    const Chain::Outcome outcome = chain.run(text);
    lm::i64 added = 0;
    lm::i64 dropped = 0;
    for (std::size_t i = 0; i < chain.counts().size(); ++i) {
      added += chain.counts()[i].chars_added;
      dropped += chain.counts()[i].dropped;
    }
    CHECK((outcome == Chain::Outcome::kDropped) == (dropped == 1));
    const auto spans = measured(specs, text);
    for (const auto& [key, list] : spans) {
      for (const lm::text::ScoredSpan& span : list) {
        REQUIRE(span.begin < span.end + (key.find("__drop_") != key.npos));
        REQUIRE(span.end <= lm::text::count_code_points(text));
      }
    }
    if (outcome == Chain::Outcome::kDropped) continue;
    const std::string left = outcome == Chain::Outcome::kSame ? text : chain.text();
    REQUIRE(lm::text::is_valid_utf8(left));
    CHECK((outcome == Chain::Outcome::kChanged) == !spans.empty());
    if (added == 0) REQUIRE(cut_out(text, spans) == left);
  }
}

TEST_CASE("what these cleaners left they leave alone", "[clean]") {
  std::mt19937 random(11);
  for (const char* const spec : {"ratio-lines", "counter-lines", "line-len", "c4-paragraph",
                                 "fineweb", "nemo-en", "pii", "word-removal"}) {
    for (int round = 0; round < 300; ++round) {
      const std::string once = clean_text(spec, random_text(random));
      if (once.starts_with("<")) continue;
      INFO(spec << ": " << once);
      const std::string twice = clean_text(spec, once);
      CHECK(twice == once);
    }
  }
}

TEST_CASE("spans of a later cleaner are places of the original text", "[clean]") {
  // The second cleaner sees "two words\nonly 99 here": what the first took lies before.
  const std::string text = "MENU\ntwo words\nonly 99 here\nB";
  const auto spans = measured({"ratio-lines", "line-len:words=3"}, text);
  REQUIRE(spans.size() == 2);
  CHECK(spans[0].first == "clean__ratio_lines__upper");
  CHECK(spans[0].second == std::vector<lm::text::ScoredSpan>{{0, 5, 1}, {27, 29, 1}});
  CHECK(spans[1].first == "clean__line_len__short");
  CHECK(spans[1].second == std::vector<lm::text::ScoredSpan>{{5, 15, 1}});
}

TEST_CASE("a drop is a span of the whole text and ends the chain", "[clean]") {
  const auto spans = measured({"ratio-lines", "c4", "line-len"}, "MENU\n\xC3\xA9 line");
  REQUIRE(spans.size() == 2);
  CHECK(spans[1].first == "clean__c4__drop_few_sentences");
  CHECK(spans[1].second == std::vector<lm::text::ScoredSpan>{{0, 11, 1}});
}

TEST_CASE("names that are not there are refused with the nearest", "[clean]") {
  CHECK_THROWS_WITH(plan_of({"c5"}), Catch::Contains("no cleaner \"c5\""));
  CHECK_THROWS_WITH(plan_of({"c4:word=3"}), Catch::Contains("no option \"word\""));
  CHECK_THROWS_WITH(plan_of({"c4:words=-1"}), Catch::Contains("expected a whole number"));
  CHECK_THROWS_WITH(plan_of({"c4:words=2,words=3"}), Catch::Contains("given twice"));
  CHECK_THROWS_WITH(plan_of({"c4:policy=maybe"}), Catch::Contains("expected yes or no"));
  CHECK_THROWS_WITH(plan_of({"fineweb:ends=x"}), Catch::Contains("expected a share"));
  CHECK_THROWS_WITH(plan_of({"c4:words"}), Catch::Contains("is no OPTION=VALUE"));
}

TEST_CASE("definitions are complete and their names differ", "[clean]") {
  std::vector<std::string> names;
  for (const CleanerDef& def : catalogue()) {
    CHECK_FALSE(def.summary.empty());
    CHECK_FALSE(def.source.empty());
    CHECK(std::find(names.begin(), names.end(), def.name) == names.end());
    names.push_back(def.name);
    std::vector<std::string> keys;
    for (const Named& type : def.types)
      keys.push_back(attribute_key(def, type.name));
    for (const Named& reason : def.reasons)
      keys.push_back(attribute_key(def, drop_type(reason)));
    std::sort(keys.begin(), keys.end());
    CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
    CHECK_FALSE(keys.empty());
    for (const std::string& key : keys)
      CHECK(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == key.npos);
  }
}
