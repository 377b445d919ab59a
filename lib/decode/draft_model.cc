#include "decode/draft_model.h"

#include <algorithm>
#include <cmath>

#include "model/layer.h"

namespace lm::decode {

namespace {

/// Its table of breakers is the larger model's.
SampleParams without_dry(SampleParams params) {
  params.dry_multiplier = 0;
  return params;
}

}  // namespace

ModelDrafter::ModelDrafter(model::Engine& engine, const DraftSubject& subject, f64 least)
    : engine_(engine),
      subject_(subject),
      sampler_(without_dry(subject.params), subject.ends, nullptr, true),
      least_(least) {}

ModelDrafter::~ModelDrafter() {
  if (seq_ >= 0) engine_.release(seq_);
}

void ModelDrafter::finish(std::span<const i32> /*history*/) {
  if (seq_ >= 0) engine_.release(seq_);
  seq_ = -1;
  cached_.clear();
}

/// Adds tokens to the engine's memory. False when its context or its room does not hold them.
bool ModelDrafter::evaluate(std::span<const i32> tokens) {
  const i64 before = isize(cached_);
  const bool prefix = model::reads_prefixes(engine_.cfg());
  if (before + isize(tokens) > engine_.positions() ||
      engine_.cache().pages_needed(seq_, isize(tokens)) > engine_.cache().free_pages())
    return false;
  std::vector<model::EvalRow> rows(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    rows[i].seq = seq_;
    rows[i].token = tokens[i];
    rows[i].prefix = prefix && before + static_cast<i64>(i) < subject_.prompt;
  }
  rows.back().want_logits = true;
  engine_.eval(rows);
  engine_.commit(seq_);
  const std::span<const f32> logits = engine_.logits(isize(rows) - 1);
  logits_.assign(logits.begin(), logits.end());
  cached_.insert(cached_.end(), tokens.begin(), tokens.end());
  return true;
}

/// Drops what the text went past, and reads what it has got since.
bool ModelDrafter::catch_up(std::span<const i32> history) {
  if (seq_ < 0) seq_ = engine_.create();
  const auto [mine, theirs] =
      std::mismatch(cached_.begin(), cached_.end(), history.begin(), history.end());
  const i64 common = std::min<i64>(mine - cached_.begin(), isize(history) - 1);
  if (common < isize(cached_)) {
    if (!engine_.truncate(seq_, common)) {
      engine_.release(seq_);
      seq_ = engine_.create();
      cached_.clear();
      return evaluate(history);
    }
    cached_.resize(usize(common));
  }
  return evaluate(history.subspan(usize(common)));
}

void ModelDrafter::propose(std::span<const i32> history, i64 most, DraftTree& out) {
  for (const i32 token : history)
    if (token >= engine_.cfg().vocab) return;
  if (!catch_up(history)) return;
  std::vector<i32> text(history.begin(), history.end());
  f32 chance = 1;
  while (isize(out) < most) {
    DrawPoint at;
    at.key = subject_.key;
    at.position = isize(text);
    at.sample = subject_.sample;
    const Result<i32> token = sampler_.draw(logits_, {text, subject_.prompt}, at);
    if (!token) return;
    const TokenWeights& weights = sampler_.weights();
    const auto found = std::lower_bound(weights.ids.begin(), weights.ids.end(), *token);
    const f64 p = found == weights.ids.end() || *found != *token
                      ? 1
                      : std::exp(weights.w[usize(found - weights.ids.begin())] - weights.log_sum());
    chance *= static_cast<f32>(std::max(p, 1e-6));
    out.push_back({*token, static_cast<i32>(isize(out) - 1), chance});
    text.push_back(*token);
    if (p < least_ || isize(out) == most || !evaluate(std::span(&text.back(), 1))) return;
  }
}

}  // namespace lm::decode
