#include "decode/sampler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>

#include "cpu/draw.h"
#include "decode/constraint.h"

namespace lm::decode {

namespace {

constexpr f64 kInf = std::numeric_limits<f64>::infinity();

/// What weights are divided by: they stay finite.
f64 divisor(f64 temperature) {
  return std::max(temperature, 1e-100);
}

}  // namespace

Sampler::Sampler(const SampleParams& params, std::vector<i32> ends,
                 std::shared_ptr<const std::vector<u8>> breaker, bool whole)
    : params_(params),
      order_(parse_order(params.sampler_order).value()),
      ends_(std::move(ends)),
      breaker_(std::move(breaker)),
      bound_(bound(whole)) {}

Sampler::Bound Sampler::bound(bool whole) const {
  const SampleParams& p = params_;
  const bool greedy = p.temperature == 0;
  const i64 least = std::max<i64>(1, p.min_keep);
  Bound out;
  for (const Step step : order_) {
    if (step == Step::kRepetition || step == Step::kFrequency || step == Step::kNoRepeat ||
        step == Step::kDry) {
      out.penalised = true;
    } else if (step == Step::kTemperature) {
      out.temperature *= divisor(p.temperature);
    } else if (greedy || !removes(step)) {
      continue;
    } else {
      if (step == Step::kTopK) out.count = std::max(p.top_k, least);
      if (step == Step::kMinP) out.count = least;
      if (step == Step::kMinP) out.share = p.min_p;
      return out;
    }
  }
  if (greedy && !whole) out.count = 1;
  return out;
}

bool Sampler::removes(Step step) const {
  const SampleParams& p = params_;
  switch (step) {
    case Step::kTopK:
      return p.top_k > 0;
    case Step::kTopP:
      return p.top_p < 1;
    case Step::kMinP:
      return p.min_p > 0;
    case Step::kTypical:
      return p.typical < 1;
    case Step::kEpsilon:
      return p.epsilon > 0;
    case Step::kEta:
      return p.eta > 0;
    case Step::kTopNSigma:
      return p.top_n_sigma > 0;
    case Step::kXtc:
      return p.xtc_probability > 0;
    default:
      return false;
  }
}

void Sampler::count_seen(const History& history) {
  const SampleParams& p = params_;
  if (p.repetition_penalty != 1)
    repeated_.count(history.tokens, window_begin(history, true, p.penalty_last_n));
  if (p.frequency_penalty != 0 || p.presence_penalty != 0)
    frequent_.count(history.tokens, window_begin(history, p.penalty_all, p.penalty_last_n));
  if (p.no_repeat_ngram > 0 || p.dry_multiplier > 0) all_.count(history.tokens, 0);
}

void Sampler::note_moved(i64 vocab, i64 output) {
  const SampleParams& p = params_;
  const bool up = p.repetition_penalty < 1 || p.frequency_penalty < 0 || p.presence_penalty < 0;
  moved_.clear();
  raised_.clear();
  for (const auto& [id, bias] : p.logit_bias)
    (bias > 0 ? raised_ : moved_).push_back(id);
  if (output < p.min_tokens) moved_.insert(moved_.end(), ends_.begin(), ends_.end());
  if (bound_.penalised) {
    std::vector<i32>& into = up ? raised_ : moved_;
    for (const TokenCounts* counts : {&repeated_, &frequent_, &all_}) {
      for (const auto& [id, count] : counts->of())
        into.push_back(id);
    }
  }
  moved_.insert(moved_.end(), raised_.begin(), raised_.end());
  for (std::vector<i32>* ids : {&moved_, &raised_}) {
    std::sort(ids->begin(), ids->end());
    ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
    std::erase_if(*ids, [&](i32 id) { return id < 0 || id >= vocab; });
  }
}

/// The weight that at least bound_.count tokens which nothing moves reach; -infinity if none is
/// found. The largest of blocks are tokens; those among them that are moved do not count.
f64 Sampler::reached(std::span<const f32> logits) {
  sorted_tops_ = tops_;
  i64 done = 0;  // of sorted_tops_ that many are in their place
  for (i64 count = bound_.count; count <= isize(tops_) / 2;) {
    const auto at = sorted_tops_.begin() + static_cast<std::ptrdiff_t>(count - 1);
    if (count > done) {
      std::nth_element(sorted_tops_.begin() + static_cast<std::ptrdiff_t>(done), at,
                       sorted_tops_.end(), std::greater<>());
    }
    done = count;
    const f32 least = *at;
    const i64 moved = std::count_if(moved_.begin(), moved_.end(),
                                    [&](i32 id) { return logits[usize(id)] >= least; });
    if (count - moved >= bound_.count) return static_cast<f64>(least);
    count = bound_.count + moved;
  }
  return -kInf;
}

bool Sampler::take_likely(std::span<const f32> logits, i64 output) {
  // Tokens that nothing moves keep their order: `count` of them are at `least` or above, so what is
  // below it and not raised is below the `count` likeliest of all.
  const i64 vocab = isize(logits);
  tops_.resize(usize((vocab + cpu::kTopBlock - 1) / cpu::kTopBlock));
  if (cpu::scan_row(vocab, logits.data(), tops_.data()) == cpu::RowKind::kOdd) return false;
  note_moved(vocab, output);
  f64 least = reached(logits);
  if (bound_.share > 0) {  // a hair less for rounding
    least += bound_.temperature * std::log(bound_.share);
    least -= 1e-6 * (1 + std::abs(least) + bound_.temperature);
  }
  if (!std::isfinite(least)) return false;
  likely_.clear();
  for (i64 block = 0; block < isize(tops_); ++block) {
    if (static_cast<f64>(tops_[usize(block)]) < least) continue;
    const i64 end = std::min(vocab, (block + 1) * cpu::kTopBlock);
    for (i64 i = block * cpu::kTopBlock; i < end; ++i)
      if (static_cast<f64>(logits[usize(i)]) >= least) likely_.push_back(static_cast<i32>(i));
  }
  some_.clear();
  std::set_union(likely_.begin(), likely_.end(), raised_.begin(), raised_.end(),
                 std::back_inserter(some_));
  x_.assign(logits, some_);
  return true;
}

void Sampler::rules(i64 output) {
  for (const auto& [id, bias] : params_.logit_bias) {
    const i64 at = x_.find(id);
    if (at >= 0) x_.w[usize(at)] += bias;
  }
  if (output < params_.min_tokens) {
    for (const i32 id : ends_) {
      const i64 at = x_.find(id);
      if (at >= 0) x_.w[usize(at)] = -kInf;
    }
  }
  if (!params_.logit_bias.empty() || output < params_.min_tokens) x_.drop_infinite();
}

void Sampler::step(Step step, const History& history, const DrawPoint& at) {
  const SampleParams& p = params_;
  if (x_.empty()) return;
  const bool draws = step >= Step::kTemperature;
  if (draws && (p.temperature == 0 || (step != Step::kTemperature && !removes(step)))) return;
  switch (step) {
    case Step::kRepetition:
      if (p.repetition_penalty != 1) apply_repetition(x_, repeated_, p.repetition_penalty);
      return;
    case Step::kFrequency:
      if (p.frequency_penalty != 0 || p.presence_penalty != 0)
        apply_frequency(x_, frequent_, p.frequency_penalty, p.presence_penalty);
      return;
    case Step::kNoRepeat:
      if (p.no_repeat_ngram > 0) ban_repeated_ngrams(x_, history, p.no_repeat_ngram);
      return;
    case Step::kDry:
      if (p.dry_multiplier > 0)
        apply_dry(x_, history, p.dry_multiplier, p.dry_base, p.dry_allowed,
                  breaker_ ? std::span<const u8>(*breaker_) : std::span<const u8>());
      return;
    case Step::kTemperature:
      if (p.temperature == 1) return;
      for (f64& w : x_.w)
        w /= divisor(p.temperature);
      return;
    case Step::kTopK:
      keep_top_k(x_, p.top_k, p.min_keep);
      return;
    case Step::kTopP:
      keep_top_p(x_, p.top_p, p.min_keep);
      return;
    case Step::kMinP:
      keep_min_p(x_, p.min_p, p.min_keep);
      return;
    case Step::kTypical:
      keep_typical(x_, p.typical, p.typical_cut, p.min_keep);
      return;
    case Step::kEpsilon:
      keep_epsilon(x_, p.epsilon, p.min_keep);
      return;
    case Step::kEta:
      keep_eta(x_, p.eta, p.min_keep);
      return;
    case Step::kTopNSigma:
      keep_top_n_sigma(x_, p.top_n_sigma, p.min_keep);
      return;
    case Step::kXtc: {
      DrawPoint coin = at;
      coin.stream = DrawStream::kOther;
      if (draw_uniform(coin, 0) < p.xtc_probability)
        exclude_top_choices(x_, p.xtc_threshold, p.min_keep);
      return;
    }
  }
}

Result<i32> Sampler::draw(std::span<const f32> logits, const History& history, const DrawPoint& at,
                          std::span<const std::unique_ptr<Constraint>> constraints, i64 left) {
  const i64 output = isize(history.tokens) - history.prompt;
  count_seen(history);
  // Where all that is drawn is refused, constraints are asked for the way to an end.
  for (const i64 may : {left, i64{0}}) {
    const bool likely = constraints.empty() && bound_.count > 0 && take_likely(logits, output);
    if (!likely && !x_.assign(logits))
      return Fault{"logits", "the model's logits are not numbers", -1};
    rules(output);
    for (const std::unique_ptr<Constraint>& constraint : constraints)
      if (std::optional<Fault> fault = constraint->mask(x_, may)) return *fault;
    for (const Step one : order_)
      step(one, history, at);
    const bool banned = x_.empty();
    while (!x_.empty()) {
      const i32 token =
          params_.temperature == 0 ? largest(x_.ids, x_.w) : draw_token(at, x_.ids, x_.w);
      const bool permitted = std::all_of(
          constraints.begin(), constraints.end(),
          [&](const std::unique_ptr<Constraint>& one) { return one->permits(token, left - 1); });
      if (permitted) return token;
      const i64 place = std::lower_bound(x_.ids.begin(), x_.ids.end(), token) - x_.ids.begin();
      x_.ids.erase(x_.ids.begin() + place);
      x_.w.erase(x_.w.begin() + place);
    }
    if (banned) break;
  }
  return Fault{"no_token", "every token is banned", -1};
}

Result<i32> Sampler::choose(std::span<const i32> ids, std::span<const f64> weights,
                            const DrawPoint& at) {
  x_.ids.assign(ids.begin(), ids.end());
  x_.w.assign(weights.begin(), weights.end());
  for (const f64 w : weights)
    if (std::isnan(w)) return Fault{"logits", "the model's logits are not numbers", -1};
  x_.drop_infinite();
  for (const Step one : order_)
    if (one >= Step::kTemperature) step(one, {}, at);
  if (x_.empty()) return Fault{"no_token", "every alternative is impossible", -1};
  return params_.temperature == 0 ? largest(x_.ids, x_.w) : draw_token(at, x_.ids, x_.w);
}

}  // namespace lm::decode
