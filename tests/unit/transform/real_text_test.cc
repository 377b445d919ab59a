// The invariants on real texts and utterances.

#include <fstream>

#include "catch.h"
#include "text/segment.h"
#include "transform/noise.h"
#include "transform/permute.h"

namespace lm::transform {

namespace {

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);)
    out.push_back(std::move(line));
  return out;
}

}  // namespace

TEST_CASE("plays in any order come back, with every word in them", "[transform]") {
  const std::filesystem::path file = test::data_dir() / "tinyshakespeare" / "input.txt";
  if (test::data_dir().empty() || !std::filesystem::exists(file)) LM_SKIP("no test data");
  std::string text;
  i64 moved = 0;
  i64 documents = 0;
  for (const std::string& line : lines_of(file)) {
    text += line + "\n";
    if (isize(text) < 2000) continue;
    PermuteRules rules;
    rules.odds = {0, 1, 1};
    const Draws draws(1, std::to_string(documents++), 0);
    const ReorderedText made = reorder_text(text, order_text(text, nullptr, rules, {}, draws));
    const Result<std::string> back = restore_text(made.text, made.moved);
    REQUIRE(back);
    REQUIRE(*back == text);
    for (const Moved& one : made.moved)
      for (const Span& unit : one.units) {
        REQUIRE(text.find(part(made.text, unit)) != std::string::npos);
        REQUIRE(isize(word_tokens(part(made.text, unit))) <= kMostTokens);
      }
    moved += isize(made.moved);
    text.clear();
  }
  CHECK(moved > 1000);
}

TEST_CASE("utterances of SNIPS keep their labels under every noise", "[transform]") {
  const std::filesystem::path folder = test::data_dir() / "slot-snips" / "test";
  if (test::data_dir().empty() || !std::filesystem::exists(folder)) LM_SKIP("no test data");
  const std::vector<std::string> in = lines_of(folder / "seq.in");
  const std::vector<std::string> out = lines_of(folder / "seq.out");
  REQUIRE(in.size() == 700);
  REQUIRE(out.size() == in.size());
  // The published perturbations but the one that needs a model.
  for (const char* name :
       {"typo", "speech", "simplify", "verbose", "spelling+typo", "spelling+append_irr",
        "ent_typo+append_irr", "spelling+ent_typo+append_irr"}) {
    i64 changed = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      std::vector<Word> words;
      const std::vector<std::string_view> labels = text::words_ws(out[i]);
      for (const std::string_view word : text::words_ws(in[i]))
        words.push_back({std::string(word), std::string(labels[words.size()]), " "});
      REQUIRE(words.size() == labels.size());
      std::vector<std::string> kinds;
      for (const Word& word : words)
        if (word.label.starts_with("B-")) kinds.push_back(word.label);
      std::vector<NoiseEdit> log;
      apply_noise(*parse_noise(name), 1, {}, Draws(0, std::to_string(i), 0), words, log);
      REQUIRE(well_formed(words));
      // No slot is lost or made.
      std::vector<std::string> after;
      for (const Word& word : words)
        if (word.label.starts_with("B-")) after.push_back(word.label);
      REQUIRE(after == kinds);
      changed += !log.empty();
    }
    INFO(name << " changed " << changed);
    CHECK(changed > 200);
  }
}

}  // namespace lm::transform
