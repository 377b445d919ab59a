// A draw that looks at the likeliest tokens only beside one that looks at all.

#include "decode/sampler.h"

#include <limits>
#include <map>

#include "catch.h"
#include "decode/constraint.h"
#include "unit/dice.h"

namespace {

using namespace lm;
using namespace lm::decode;

/// Takes nothing out: with it every token is looked at.
class Anything final : public Constraint {
 public:
  std::optional<Fault> mask(TokenWeights&, i64) const override { return std::nullopt; }
  void accept(i32) override {}
  std::optional<TextEnd> end(std::string_view) override { return std::nullopt; }
  std::unique_ptr<Constraint> clone() const override { return std::make_unique<Anything>(); }
};

std::vector<f32> random_row(test::Dice& dice, i64 vocab) {
  const RandomStream random(static_cast<u64>(dice.below(1 << 30)), RandomPurpose::kOther);
  const f64 spread = 0.1 + 0.1 * dice.below(40);
  const bool ties = dice.one_in(3);
  const bool banned = dice.one_in(4);
  std::vector<f32> out;
  for (i64 i = 0; i < vocab; ++i) {
    const u64 at = static_cast<u64>(i);
    f64 v = spread * random.normal(at);
    if (ties) v = std::round(v);
    if (banned && random.uniform(at + 100000000) < 0.3) v = -std::numeric_limits<f64>::infinity();
    out.push_back(static_cast<f32>(v));
  }
  return out;
}

SampleParams random_params(test::Dice& dice, i64 vocab) {
  SampleParams p;
  if (dice.one_in(4)) p.temperature = 0;
  if (dice.one_in(3)) p.temperature = 0.1 * (1 + dice.below(30));
  if (dice.one_in(2)) p.top_k = 1 + dice.below(60);
  if (dice.one_in(2)) p.min_p = 0.01 * (1 + dice.below(40));
  if (dice.one_in(3)) p.top_p = 0.5 + 0.01 * dice.below(50);
  if (dice.one_in(4)) p.typical = 0.5 + 0.01 * dice.below(50);
  if (dice.one_in(4)) p.eta = 0.001;
  if (dice.one_in(4)) p.top_n_sigma = 2;
  if (dice.one_in(3)) p.min_keep = 1 + dice.below(5);
  if (dice.one_in(3)) p.repetition_penalty = 0.5 + 0.1 * dice.below(15);
  if (dice.one_in(3)) p.frequency_penalty = 0.2 * (dice.below(9) - 4);
  if (dice.one_in(3)) p.presence_penalty = 0.5 * (dice.below(9) - 4);
  if (dice.one_in(3)) p.penalty_last_n = dice.below(30);
  if (dice.one_in(3)) p.penalty_all = true;
  if (dice.one_in(4)) p.no_repeat_ngram = 1 + dice.below(3);
  if (dice.one_in(4)) p.dry_multiplier = 1;
  if (dice.one_in(3)) p.min_tokens = dice.below(40);
  for (int i = dice.below(4); i > 0; --i)
    p.logit_bias.emplace_back(dice.below(static_cast<int>(vocab)), 2.0 * (dice.below(9) - 4));
  const char* const orders[] = {"hf", "llama", "top_k;repetition;temperature", "min_p;frequency",
                                "temperature;min_p;temperature;dry"};
  p.sampler_order = orders[dice.below(5)];
  return p;
}

}  // namespace

TEST_CASE("looking at the likeliest tokens only changes nothing", "[decode]") {
  std::vector<std::unique_ptr<Constraint>> anything;
  anything.push_back(std::make_unique<Anything>());
  for (u64 trial = 0; trial < 1500; ++trial) {
    test::Dice dice(trial);
    const i64 vocab = dice.one_in(3) ? 1 + dice.below(400) : 3000 + dice.below(9000);
    const SampleParams params = random_params(dice, vocab);
    const std::vector<i32> ends = {static_cast<i32>(vocab / 2), 0};
    const bool whole = dice.one_in(2);
    Sampler all(params, ends, nullptr, whole);
    Sampler likely(params, ends, nullptr, whole);
    std::vector<i32> history;
    const i64 prompt = dice.below(30);
    const int tokens = dice.one_in(8) ? 1 : 40;
    for (i64 i = 0; i < prompt; ++i)
      history.push_back(dice.below(std::min(tokens, static_cast<int>(vocab))));
    for (int step = 0; step < 3; ++step) {
      CAPTURE(trial, vocab, step, params.sampler_order);
      const std::vector<f32> logits = random_row(dice, vocab);
      DrawPoint at;
      at.key = draw_key(trial, "r");
      at.position = isize(history);
      const Result<i32> want = all.draw(logits, {history, prompt}, at, anything, 100);
      const Result<i32> got = likely.draw(logits, {history, prompt}, at);
      REQUIRE(static_cast<bool>(got) == static_cast<bool>(want));
      if (!want) {
        REQUIRE(got.fault().code == want.fault().code);
        break;
      }
      REQUIRE(*got == *want);
      if (params.temperature > 0 || whole) {
        REQUIRE(likely.weights().ids == all.weights().ids);
        REQUIRE(likely.weights().w == all.weights().w);
      }
      history.push_back(*got);
    }
  }
}

TEST_CASE("counts of a window that moves on are those of a new one", "[decode]") {
  for (u64 trial = 0; trial < 200; ++trial) {
    test::Dice dice(trial);
    TokenCounts counts;
    std::vector<i32> text;
    i64 first = 0;
    for (int step = 0; step < 20; ++step) {
      for (int i = dice.below(6); i > 0; --i)
        text.push_back(dice.below(9));
      if (dice.one_in(6)) text.resize(text.size() / 2);
      if (dice.one_in(6) && !text.empty())
        text[usize(dice.below(static_cast<int>(text.size())))] = 3;
      first = dice.one_in(5) ? 0 : first + dice.below(4);
      first = std::min(first, isize(text));
      counts.count(text, first);
      std::map<i32, i64> slow;
      for (i64 i = first; i < isize(text); ++i)
        ++slow[text[usize(i)]];
      REQUIRE(counts.of() == std::vector<std::pair<i32, i64>>(slow.begin(), slow.end()));
    }
  }
}
