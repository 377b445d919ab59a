// facts: people of invented names and descriptions, each stated in one direction; questions ask in
// both. Source: the reversal experiments of semantic-aware permutation training.

#include <array>
#include <set>

#include "core/str.h"
#include "synth/fields.h"
#include "synth/task.h"

namespace lm::synth {

namespace {

// Each says the same of name and description either way round.
constexpr std::array<std::string_view, 12> kPhrases = {
    "is known as",    "is also called",  "was introduced as", "is remembered as",
    "was listed as",  "is addressed as", "was announced as",  "is registered as",
    "was praised as", "is described as", "was honoured as",   "is spoken-of as"};
constexpr i64 kPool = 64;  // words in each place of a name or a description
constexpr i64 kMostPeople = 4000;

/// Word `index` of a pool: two syllables and the pool's own ending.
std::string invented(i64 pool, i64 index) {
  constexpr std::string_view kConsonants = "bdfghklmnprstvwz";
  constexpr std::string_view kVowels = "aeio";
  constexpr std::string_view kEndings = "nrlstk";
  const auto syllable = [&](i64 i) {
    return cat(kConsonants[usize(i / 4)], kVowels[usize(i % 4)]);
  };
  return cat(syllable(index), syllable((index * 29 + pool * 17 + 5) % kPool),
             kEndings[usize(pool)]);
}

struct Person {
  std::string name;
  std::string description;
  bool name_first = true;  // as the fact is stated
};

struct Fact final : Drawn {
  i64 person = 0;
  i64 phrase = 0;
  bool forward = true;
};

class Facts final : public Task {
 public:
  Facts(const Params& params, const TaskSetup& setup)
      : phrases_(params.whole("phrases")),
        questions_(params.text("questions")),
        states_(setup.split == Split::kTrain) {
    Draws draws(setup.seed, "facts people", 0);
    const std::vector<i64> names = draws.distinct(params.whole("people"), kPool * kPool);
    std::set<std::string> descriptions;
    for (i64 i = 0; i < isize(names); ++i) {
      Person one;
      const i64 name = names[usize(i)];
      one.name = cat(capital(invented(0, name / kPool)), " ", capital(invented(1, name % kPool)));
      do {
        one.description.clear();
        for (i64 pool = 2; pool < 6; ++pool)
          append(one.description, pool > 2 ? " " : "", invented(pool, draws.below(kPool)));
      } while (!descriptions.insert(one.description).second);
      one.name_first = 2 * i < isize(names);
      people_.push_back(std::move(one));
    }
  }

  std::unique_ptr<Drawn> draw(const Place& place) const override {
    Draws draws = place.draws("facts");
    auto out = std::make_unique<Fact>();
    out->person = draws.below(isize(people_));
    out->phrase = draws.below(phrases_);
    out->forward = questions_ == "both" ? draws.below(2) == 0 : questions_ == "forward";
    const Person& person = people_[usize(out->person)];
    out->canonical = cat(person.name, "|", person.description, "|", out->phrase);
    if (!states_) out->variant = out->forward ? "forward" : "reverse";
    return out;
  }

  void write(const Drawn& drawn, const Place&, std::string& fields) const override {
    const Fact& fact = static_cast<const Fact&>(drawn);
    const Person& person = people_[usize(fact.person)];
    const std::string_view phrase = kPhrases[usize(fact.phrase)];
    const bool name_first = person.name_first == (states_ || fact.forward);
    const std::string& left = name_first ? person.name : person.description;
    const std::string& right = name_first ? person.description : person.name;
    if (states_) {
      add_text(fields, "text", cat(left, " ", phrase, " ", right, "."));
      const i64 a = isize(left), b = a + 1 + isize(phrase), c = b + 1 + isize(right);
      add_json(fields, "chunks", cat("[[0,", a, "],[", a + 1, ",", b, "],[", b + 1, ",", c, "]]"));
    } else {
      add_text(fields, "prompt", cat(left, " ", phrase));
      add_text(fields, "completion", cat(" ", right, "."));
      add_text(fields, "direction", fact.forward ? "forward" : "reverse");
    }
    add_text(fields, "stated", person.name_first ? "name-first" : "description-first");
    add_json(fields, "person", cat(fact.person));
  }

  f64 space() const override {
    const f64 facts = static_cast<f64>(isize(people_)) * static_cast<f64>(phrases_);
    return states_ || questions_ != "both" ? facts : 2 * facts;
  }

 private:
  static std::string capital(std::string word) {
    word[0] = static_cast<char>(word[0] - 'a' + 'A');
    return word;
  }
  i64 phrases_;
  std::string questions_;
  bool states_;  // else questions
  std::vector<Person> people_;
};

}  // namespace

void add_word_tasks(std::vector<TaskInfo>& out) {
  out.push_back(
      {.name = "facts",
       .summary = "people and what they are known as, stated one way and asked both ways",
       .forms = {"text"},
       .params = {{"people", Param::Kind::kWhole, "200", "half stated name first", 2, kMostPeople},
                  {"phrases", Param::Kind::kWhole, "10", "relations between the two", 1,
                   static_cast<f64>(kPhrases.size())},
                  {"questions",
                   Param::Kind::kChoice,
                   "both",
                   "valid and test: as stated, or the other way round",
                   0,
                   0,
                   {"both", "forward", "reverse"}}},
       .make = [](const Params& params, const TaskSetup& setup) -> std::unique_ptr<Task> {
         return std::make_unique<Facts>(params, setup);
       }});
}

}  // namespace lm::synth
