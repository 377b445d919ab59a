#include "decode/unmask.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/str.h"

namespace lm::decode {

f64 ReverseSteps::time(i64 step) const {
  return 1 - static_cast<f64>(step) * (1 - kLastTime) / static_cast<f64>(count_);
}

f64 ReverseSteps::masks(i64 step) const {
  const f64 filled = 1 - time(step);
  return filled > 0 ? std::min(remask_, time(step + 1) / filled) : remask_;
}

f64 ReverseSteps::stays(i64 step) const {
  const f64 t = time(step);
  return std::max(0.0, (time(step + 1) - masks(step) * (1 - t)) / t);
}

i64 filled_at(i64 places, i64 steps, i64 step) {
  return places / steps + (step < places % steps ? 1 : 0);
}

std::string left_to_right_param(const SampleParams& p) {
  if (p.repetition_penalty != 1) return "repetition_penalty";
  if (p.frequency_penalty != 0) return "frequency_penalty";
  if (p.presence_penalty != 0) return "presence_penalty";
  if (p.no_repeat_ngram > 0) return "no_repeat_ngram";
  if (p.dry_multiplier > 0) return "dry_multiplier";
  return "";
}

Unmasking::Unmasking(const DiffusionRule& rule, const SampleParams& params,
                     std::vector<i32> end_ids, Text text, DrawKey key, i64 number)
    : rule_(rule),
      params_(params),
      ends_(std::move(end_ids)),
      text_(std::move(text)),
      key_(key),
      number_(number),
      lasts_(usize(text_.end - text_.begin), 1),
      bound_(lasts_.size(), 0) {
  LM_CHECK(text_.ends.empty() ? text_.begin == text_.end : text_.ends.back() == text_.end,
           "blocks cover what is generated");
  LM_CHECK(number >= 0 && number < 65536, "a draw has room for 65536 samples");
  if (!text_.ends.empty()) begin_block();
}

/// The sample's number and the step share a word of the counter.
DrawPoint Unmasking::point(i64 place, i64 step, DrawStream stream) const {
  return {key_, place, step << 16 | number_, stream};
}

void Unmasking::begin_block() {
  const i64 blocks = isize(text_.ends);
  const i64 all = rule_.steps > 0 ? rule_.steps : text_.end - text_.begin;
  steps_ = filled_at(all, blocks, block_);
  LM_CHECK(steps_ > 0 && steps_ <= kMostDiffusionSteps, "a block has steps");
  step_ = 0;
  places_ = block_end() - block_begin();
  for (i64 place = block_begin(); place < block_end(); ++place)
    put_mask(place, 0);
}

/// Before this step of the block.
void Unmasking::put_mask(i64 place, i64 step) {
  const std::size_t i = usize(place - text_.begin);
  text_.tokens[usize(place)] = text_.mask;
  lasts_[i] = 1;
  bound_[i] = draw_uniform(point(place, step, DrawStream::kDiffusionUnmask), 0);
}

std::vector<i64> Unmasking::masked() const {
  std::vector<i64> out;
  for (i64 place = block_begin(); place < block_end(); ++place)
    if (text_.tokens[usize(place)] == text_.mask) out.push_back(place);
  return out;
}

bool Unmasking::next() {
  for (; block_ < isize(text_.ends); ++block_) {
    if (step_ < 0) begin_block();
    if (plan()) {
      if (candidates_ > 1) widen();
      drawn_.assign(wanted_.size(), -1);
      proposed_.assign(candidates_ > 1 ? usize(candidates_) * wanted_.size() : 0, -1);
      log_proposal_.assign(proposed_.size(), 0);
      confidence_.assign(wanted_.size(), 0);
      faults_.assign(wanted_.size(), std::nullopt);
      return true;
    }
    step_ = -1;
  }
  return false;
}

/// The block's next pass. False when it is full.
bool Unmasking::plan() {
  wanted_.clear();
  filled_.clear();
  again_.clear();
  candidates_ = 1;
  if (ancestral()) return plan_ancestral();
  if (rule_.sampler == DiffusionSampler::kThreshold) {
    wanted_ = masked();
    return !wanted_.empty();
  }
  for (; step_ < steps_; ++step_) {
    const i64 count = filled_at(places_, steps_, step_);
    if (count == 0) return false;  // nor has a later step any
    if (rule_.sampler == DiffusionSampler::kRandom)
      plan_random(count);
    else
      wanted_ = masked();
    return true;
  }
  return false;
}

/// Steps without a pass are gone over, but for the sampler that has one at each.
bool Unmasking::plan_ancestral() {
  const ReverseSteps steps(steps_, rule_.remask);
  for (; step_ < steps_; ++step_) {
    bool any = false;
    for (i64 place = block_begin(); place < block_end(); ++place) {
      const std::size_t i = usize(place - text_.begin);
      if (text_.tokens[usize(place)] != text_.mask) {
        if (rule_.remask > 0 &&
            draw_uniform(point(place, step_, DrawStream::kDiffusionUnmask), 1) < steps.masks(step_))
          again_.push_back(place);
        continue;
      }
      any = true;
      lasts_[i] *= steps.stays(step_);
      if (bound_[i] < lasts_[i]) continue;
      filled_.push_back(isize(wanted_));
      wanted_.push_back(place);
    }
    if (const f64 t = steps.time(step_);
        !wanted_.empty() && t >= rule_.window_end && t <= rule_.window_begin)
      candidates_ = rule_.candidates;
    if (!wanted_.empty() || (any && rule_.sampler == DiffusionSampler::kAncestral)) return true;
    mask_again();
    if (!any && rule_.remask == 0) return false;
  }
  if (step_ > steps_) return false;
  wanted_ = masked();
  for (i64 i = 0; i < isize(wanted_); ++i)
    filled_.push_back(i);
  return !wanted_.empty();
}

/// Candidates are whole texts: all places that hold a mask and are seen are asked for.
void Unmasking::widen() {
  const std::vector<i64> fills = std::exchange(wanted_, {});
  filled_.clear();
  const i64 end = text_.causal ? block_end() : text_.end;
  for (i64 place = block_begin(); place < end; ++place) {
    if (text_.tokens[usize(place)] != text_.mask) continue;
    if (std::binary_search(fills.begin(), fills.end(), place)) filled_.push_back(isize(wanted_));
    wanted_.push_back(place);
  }
}

void Unmasking::plan_random(i64 count) {
  const std::vector<i64> all = masked();
  std::vector<std::pair<f64, i64>> order;
  for (const i64 place : all)
    order.emplace_back(bound_[usize(place - text_.begin)], place);
  std::sort(order.begin(), order.end());
  for (i64 i = 0; i < std::min(count, isize(order)); ++i)
    wanted_.push_back(order[usize(i)].second);
  std::sort(wanted_.begin(), wanted_.end());
  for (i64 i = 0; i < isize(wanted_); ++i)
    filled_.push_back(i);
}

/// Log-probabilities of what may stand at a place. False where the logits are not numbers.
bool Unmasking::weigh(i64 place, std::span<const f32> logits, std::span<const f32> free,
                      TokenWeights& x) const {
  if (!x.assign(logits)) return false;
  constexpr f64 kBanned = -std::numeric_limits<f64>::infinity();
  if (!free.empty()) {
    for (std::size_t i = 0; i < x.ids.size(); ++i) {
      const f64 without = static_cast<f64>(free[usize(x.ids[i])]);
      if (std::isnan(without) || without == -kBanned) return false;
      if (without > kBanned) x.w[i] = without + (rule_.guidance + 1) * (x.w[i] - without);
    }
  }
  const auto bias = [&](i32 id, f64 by) {
    const i64 at = x.find(id);
    if (at >= 0) x.w[usize(at)] += by;
  };
  bias(text_.mask, kBanned);
  for (const auto& [id, by] : params_.logit_bias)
    bias(id, by);
  if (place - text_.begin < params_.min_tokens)
    for (const i32 id : ends_)
      bias(id, kBanned);
  x.drop_infinite();
  if (x.empty()) return true;
  const f64 sum = x.log_sum();
  for (f64& w : x.w)
    w -= sum;
  return true;
}

void Unmasking::take(i64 i, std::span<const f32> logits, std::span<const f32> free,
                     UnmaskScratch& scratch) {
  const i64 place = wanted_[usize(i)];
  std::optional<Fault>& fault = faults_[usize(i)];
  TokenWeights& x = scratch.x;
  if (!weigh(place, logits, free, x)) {
    fault = Fault{"logits", "the model's logits are not numbers", -1};
    return;
  }
  if (x.empty()) {
    fault = Fault{"no_token", "every token is banned", -1};
    return;
  }
  if (ancestral() && step_ == steps_ && !rule_.final_draw) {
    drawn_[usize(i)] = largest(x.ids, x.w);
    return;
  }
  if (scratch.owner != this) {
    scratch.sampler.emplace(params_, ends_, nullptr);
    scratch.owner = this;
  }
  const Result<i32> token =
      scratch.sampler->choose(x.ids, x.w, point(place, step_, DrawStream::kDiffusionToken));
  if (!token) {
    fault = token.fault();
    return;
  }
  drawn_[usize(i)] = *token;
  confidence_[usize(i)] = std::exp(x.w[usize(x.find(*token))]);
  if (candidates_ > 1) propose(i, scratch.sampler->weights());
}

/// The first candidate is what is drawn without others.
void Unmasking::propose(i64 i, const TokenWeights& from) {
  const f64 sum = from.log_sum();
  DrawPoint at = point(wanted_[usize(i)], step_, DrawStream::kDiffusionToken);
  for (i64 j = 0; j < candidates_; ++j) {
    const std::size_t cell = usize(j) * wanted_.size() + usize(i);
    if (params_.temperature == 0 || j == 0) {
      proposed_[cell] = drawn_[usize(i)];
    } else {
      at.stream = static_cast<DrawStream>(static_cast<u32>(DrawStream::kDiffusionToken) |
                                          static_cast<u32>(j) << 8);
      proposed_[cell] = draw_token(at, from.ids, from.w);
    }
    log_proposal_[cell] = from.w[usize(from.find(proposed_[cell]))] - sum;
  }
}

bool Unmasking::faulty() const {
  return std::any_of(faults_.begin(), faults_.end(),
                     [](const std::optional<Fault>& fault) { return fault.has_value(); });
}

void Unmasking::resample(std::span<const f64> energies) {
  LM_CHECK(isize(energies) == candidates_, "an energy for each candidate");
  TokenWeights x;
  for (i64 j = 0; j < candidates_; ++j) {
    const f64 w = -energies[usize(j)] / rule_.tau;
    if (!std::isfinite(w)) continue;
    x.ids.push_back(static_cast<i32>(j));
    x.w.push_back(w);
  }
  i32 chosen = 0;
  f64 effective = 1;
  if (!x.empty()) {
    chosen = draw_token(point(block_begin(), step_, DrawStream::kResample), x.ids, x.w);
    std::vector<f64> p;
    x.softmax(p);
    f64 squares = 0;
    for (const f64 share : p)
      squares += share * share;
    effective = 1 / squares;
  }
  effective_ += effective;
  ++resampled_;
  const std::span<const i32> tokens = candidate(chosen);
  drawn_.assign(tokens.begin(), tokens.end());
}

/// Of equally confident places the first.
void Unmasking::choose_confident() {
  std::vector<i64> order(wanted_.size());
  for (i64 i = 0; i < isize(order); ++i)
    order[usize(i)] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](i64 a, i64 b) { return confidence_[usize(a)] > confidence_[usize(b)]; });
  i64 count = 1;
  if (rule_.sampler == DiffusionSampler::kThreshold) {
    while (count < isize(order) && confidence_[usize(order[usize(count)])] >= rule_.threshold)
      ++count;
  } else {
    count = std::min(isize(order), filled_at(places_, steps_, step_));
  }
  filled_.assign(order.begin(), order.begin() + count);
}

void Unmasking::mask_again() {
  for (const i64 place : again_)
    put_mask(place, step_ + 1);
  again_.clear();
}

std::optional<Fault> Unmasking::settle() {
  for (const std::optional<Fault>& fault : faults_)
    if (fault) return fault;
  if (rule_.sampler == DiffusionSampler::kConfidence ||
      rule_.sampler == DiffusionSampler::kThreshold)
    choose_confident();
  for (const i64 i : filled_) {
    LM_CHECK(drawn_[usize(i)] >= 0 && drawn_[usize(i)] != text_.mask, "what is wanted was taken");
    text_.tokens[usize(wanted_[usize(i)])] = drawn_[usize(i)];
  }
  mask_again();
  ++step_;
  return std::nullopt;
}

}  // namespace lm::decode
