#include "synth/reward.h"

#include <optional>

#include "core/draws.h"
#include "core/str.h"

namespace lm::synth {

using text::Value;

Reward::Reward(u64 seed, i64 vocab, f64 scale) : seed_(seed), vocab_(vocab), scale_(scale) {
  Draws draws(seed, "prefs reward", 0);
  for (i64 i = 0; i < vocab * (vocab + 1); ++i)
    weights_.push_back(scale * draws.normal());
}

f64 Reward::operator()(std::span<const i64> text) const {
  f64 sum = -0.1 * static_cast<f64>(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    sum += weights_[usize(text[i])];
    if (i > 0) sum += weights_[usize(vocab_ * (1 + text[i - 1]) + text[i])];
  }
  return sum;
}

std::string Reward::json() const {
  return cat("{\"problem\":\"prefs\",\"seed\":\"", seed_, "\",\"vocab\":", vocab_,
             ",\"scale\":", scale_, "}");
}

Result<Reward> read_reward(const Value& instance) {
  const auto field = [&](const char* name) { return instance.find(Value(name)); };
  const Value* const seed = field("seed");
  const Value* const vocab = field("vocab");
  const Value* const scale = field("scale");
  for (const auto& one : {std::pair{seed, "seed"}, {vocab, "vocab"}, {scale, "scale"}})
    if (one.first == nullptr)
      return Fault{"missing", cat("field \"instance.", one.second, "\" is missing"), -1};
  const std::optional<u64> number =
      seed->is_string() ? parse_u64(seed->str()) : std::optional<u64>();
  if (!number) return Fault{"type", "instance.seed is no whole number in a text", -1};
  if (!vocab->is_whole() || vocab->whole() < 2 || vocab->whole() > kMostRewarded)
    return Fault{"range", cat("instance.vocab is no whole number from 2 to ", kMostRewarded), -1};
  if (!scale->is_number() || scale->is_bool() || !(scale->number() >= 0) ||
      scale->number() > kMostScale)
    return Fault{"range", cat("instance.scale is no number from 0 to ", kMostScale), -1};
  return Reward(*number, vocab->whole(), scale->number());
}

}  // namespace lm::synth
