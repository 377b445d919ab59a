#include "tag/plan.h"

#include <algorithm>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "tag/catalogue.h"

using namespace lm;
using namespace lm::tag;

namespace {

std::vector<TaggerDef> complete(const std::vector<std::string>& names) {
  TagFiles files;
  return complete_taggers(names, files);
}

std::string hint_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUsage);
    return error.hint();
  }
  return "no error";
}

}  // namespace

TEST_CASE("the catalogue: names and types are unique and described", "[tag]") {
  std::set<std::string> names;
  for (const TaggerDef& def : catalogue()) {
    INFO(def.name);
    CHECK(names.insert(def.name).second);
    CHECK_FALSE(def.summary.empty());
    CHECK_FALSE(def.source.empty());
    std::set<std::string> types;
    CHECK(def.types.empty() == def.types_of_file);
    for (const TagType& type : def.types) {
      CHECK(types.insert(key_part(type.name)).second);
      CHECK_FALSE(type.meaning.empty());
    }
    CHECK(def.file.empty() == (def.bind == nullptr));
    if (def.file.empty()) CHECK(def.make(TagSettings{}) != nullptr);
  }
}

TEST_CASE("names that are not there are refused with the nearest ones", "[tag]") {
  CHECK(hint_of([] { tagger_named("gopher_v3"); }) == "did you mean gopher_v1, gopher_v2?");
  CHECK(hint_of([] { tagger_named("nothing-like-it"); }) == "--list names them all");
  CHECK(hint_of([] { TagPlan(std::vector<TaggerDef>{}, "", {}); }).empty());
  CHECK(hint_of([] { TagPlan(complete({"c4_v1", "c4_v1"}), "", {}); }).empty());
  CHECK(hint_of([] { TagPlan(complete({"c4_v1"}), "a-b", {}); }).empty());
}

TEST_CASE("attribute keys are checked against the catalogue (D-02)", "[tag]") {
  check_key("x__gopher_v1__fraction_of_characters_in_most_common_2grams");
  check_key("bare");
  check_key("x__somebody_elses__type");
  CHECK(hint_of([] { check_key("x__gopher_v1__fraction_of_characters_in_most_common_2gram"); }) ==
        "did you mean fraction_of_characters_in_most_common_2grams, "
        "fraction_of_characters_in_most_common_3grams, "
        "fraction_of_characters_in_most_common_4grams?");
}

TEST_CASE("keys: experiment, tagger, type; types without their need are left out", "[tag]") {
  const TagPlan plan(complete({"c4_v2", "gopher_v1"}), "", {});
  CHECK(plan.keys()[0].key == "c4_v2__c4_v2__lines_with_no_ending_punctuation");
  CHECK(plan.keys().back().key ==
        "gopher_v1__gopher_v1__fraction_of_characters_in_duplicate_lines");
  CHECK(plan.missing() == std::vector<std::string>{"c4_v2: has_naughty_word"});
  const bool naughty = std::any_of(plan.keys().begin(), plan.keys().end(), [](const TagKey& key) {
    return key.key.ends_with("has_naughty_word");
  });
  CHECK_FALSE(naughty);
  CHECK(TagPlan(complete({"c4_v1"}), "mine", {}).keys()[0].key ==
        "mine__c4_v1__lines_with_no_ending_punctuation");
  CHECK(key_part("dclm-oh-eli5") == "dclm_oh_eli5");
}

TEST_CASE("a long text takes its turn, and its memory from the budget", "[tag]") {
  // Words of a period, so that n-grams of every length stand again.
  std::string line = "{\"text\":\"";
  for (i64 i = 0; isize(line) < Document::kLongBytes + (1 << 20); ++i)
    append(line, "w", i * i % 8191, i % 17 == 0 ? ". \\n" : " ");
  line += "\"}";
  const std::size_t size = line.size();
  line.append(static_cast<std::size_t>(io::kJsonPadding), ' ');
  const TagPlan plan(complete({"gopher_v1", "dclm", "c4_v2", "gopher_v2"}), "", {});
  const FieldPlaces places("text", plan);
  io::JsonReader json(places.paths());
  REQUIRE_FALSE(json.parse(std::string_view(line).substr(0, size)));
  MemoryBudget enough(64 * Document::kLongBytes);
  LongTexts long_texts(enough, kLongTextTimes, "the taggers");
  TagWorker worker(plan, &long_texts);
  const std::optional<Fault> fault = worker.tag(json, places);
  REQUIRE_FALSE(fault);
  CHECK(enough.used() == 0);
  const auto value = [&](const std::string& key) {
    for (i64 i = 0; i < isize(plan.keys()); ++i) {
      if (plan.keys()[usize(i)].key == key) return worker.spans(i)[0].score;
    }
    return -1.0;
  };
  // Behind taggers that gave their memory back, taggers find the same.
  CHECK(value("gopher_v1__gopher_v1__word_count") == value("gopher_v2__gopher_v2__word_count"));
  CHECK(value("dclm__dclm__fraction_of_characters_in_duplicate_5grams") > 0.9);
  CHECK(value("gopher_v1__gopher_v1__fraction_of_characters_in_duplicate_10grams") ==
        value("gopher_v2__gopher_v2__fraction_of_characters_in_duplicate_10grams"));
  MemoryBudget little(Document::kLongBytes);
  LongTexts refused(little, kLongTextTimes, "the taggers");
  TagWorker poor(plan, &refused);
  try {
    poor.tag(json, places);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kOs);
    CHECK(error.hint().ends_with(" would do"));
  }
}

TEST_CASE("spans of a long text are printed tagger by tagger, and charged till they are written",
          "[tag]") {
  std::string line = "{\"text\":\"";
  for (i64 i = 0; isize(line) < Document::kLongBytes + (1 << 20); ++i)
    append(line, "line ", i, i % 5 == 0 ? "\\n\\n" : "\\n");
  line += "\"}";
  const std::size_t size = line.size();
  line.append(static_cast<std::size_t>(io::kJsonPadding), ' ');
  const TagPlan plan(
      complete({"char_length_with_paragraphs_v1", "c4_v2", "uniseg_length_paragraphs_v1"}), "", {});
  const FieldPlaces places("text", plan);
  io::JsonReader json(places.paths());
  REQUIRE_FALSE(json.parse(std::string_view(line).substr(0, size)));
  MemoryBudget budget(i64{1} << 30);
  LongTexts long_texts(budget, kLongTextTimes, "the taggers");
  const i64 keys = isize(plan.keys());
  for (const bool all : {true, false}) {
    TagWorker spans(plan, &long_texts);
    REQUIRE_FALSE(spans.tag(json, places));
    CHECK(spans.printed_bytes() == 0);
    CHECK(budget.used() > 3 * SpanMemory::kFew * i64{sizeof(text::ScoredSpan)});
    std::string want;
    spans.append(want, 0, keys, all);
    TagWorker printed(plan, &long_texts);
    REQUIRE_FALSE(printed.tag(json, places, all ? LongForm::kAll : LongForm::kFound));
    CHECK(printed.spans(0).empty());
    CHECK(printed.printed_bytes() == isize(want) + 1);  // a comma between taggers, and one
    std::string have;
    const i64 before = budget.used();
    {
      io::Batch batch;
      printed.append(have, 0, keys, all, &batch);
      CHECK(have == want);
      CHECK(budget.used() == before);
      CHECK(before >= 2 * isize(want) - (1 << 20));
    }
    std::string group;
    printed.append(group, 0, keys, all);
    CHECK(group.empty());  // given away
  }
  CHECK(budget.used() == 0);
  // Enough for taggers and not for what they find.
  MemoryBudget little(kLongTextTimes * isize(line) + (8 << 20));
  LongTexts refused(little, kLongTextTimes, "the taggers");
  TagWorker poor(plan, &refused);
  for (const LongForm form : {LongForm::kSpans, LongForm::kAll}) {
    try {
      poor.tag(json, places, form);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kOs);
      CHECK(error.hint().starts_with("more than --memory "));
      CHECK(error.hint().ends_with("fewer taggers at once (-T) need less"));
    }
  }
}
