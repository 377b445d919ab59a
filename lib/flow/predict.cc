#include "flow/predict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "core/str.h"
#include "flow/error_model.h"
#include "flow/posterior.h"
#include "flow/reduce.h"
#include "stat/mean.h"

namespace lm::flow {

namespace {

constexpr f64 kNone = std::numeric_limits<f64>::quiet_NaN();
constexpr i64 kTries = 8;

std::vector<f64> merged(std::vector<std::vector<f64>> lists) {
  return merge_all(std::move(lists), MergeWay::kTree, std::less<>());
}

}  // namespace

class Predictor::Impl {
 public:
  explicit Impl(const Calibration& calibration)
      : calibration_(calibration),
        cells_(calibration),
        extra_{extra_tokens(calibration, false).value_or(0),
               extra_tokens(calibration, true).value_or(0)} {
    for (const i64 size : calibration.sizes)
      sizes_.push_back(summarise(calibration, size));
    std::map<std::pair<i64, bool>, std::pair<f64, i64>>
        sums;  // of a size: over the fit, and how many
    const auto beside_fit = [&](const CallSample& one) {
      const f64 fitted = calibration.time.of(one.tokens);
      return fitted > 0 ? one.seconds / fitted : 1;
    };
    for (const CallSample& one : calibration.samples) {
      auto& [sum, count] = sums[{one.size, one.last}];
      sum += beside_fit(one);
      ++count;
    }
    for (const CallSample& one : calibration.samples) {
      const auto& [sum, count] = sums[{one.size, one.last}];
      slowness_.push_back(sum > 0 ? beside_fit(one) * static_cast<f64>(count) / sum : 1);
    }
  }

  Prediction predict(const std::vector<PlannedRecord>& records, i64 n,
                     const PredictOptions& options) const;

 private:
  f64 error_of(const PlannedRecord& record, i64 n, Posterior& draw) const;
  f64 sort_error(const PlannedRecord& record, Posterior& draw) const;
  f64 needle_error(const PlannedRecord& record, Posterior& draw) const;
  f64 code_error(const PlannedRecord& record, Posterior& draw) const;
  f64 decode_of(const PlannedCall& call, Posterior& draw) const;
  /// Means over records of one calibration.
  struct Means {
    f64 error = 0, decode = 0, latency = 0, ideal = 0, parallel = 0, price = 0;
  };
  Means means(const std::vector<PlannedRecord>& records, i64 n, const PredictOptions& options,
              i64 number, bool varied) const;
  f64 interpolated(i64 size, f64 SizeSummary::*what) const;
  /// The same of what grows with the size, by what there is per unit.
  f64 per_unit(i64 size, f64 SizeSummary::*what) const;
  f64 formula(const std::vector<PlannedRecord>& records, i64 n) const;
  f64 bound(const std::vector<PlannedRecord>& records, i64 n) const;
  f64 code_bound(const PlannedRecord& record) const;

  const Calibration& calibration_;
  const CallCells cells_;
  std::vector<SizeSummary> sizes_;
  // Seconds of calibrated calls over those fitted, beside the mean of their size: calls of one run
  // are of one size, so what the fit misses of it is no reason for some to be longer than others.
  std::vector<f64> slowness_;
  std::array<i64, 2> extra_;  // tokens of prompts beyond their text, of pieces and of last calls
};

f64 Predictor::Impl::sort_error(const PlannedRecord& record, Posterior& draw) const {
  std::vector<std::vector<f64>> truths;
  std::vector<std::vector<f64>> values;
  std::set<const CallSample*> used;
  f64 scale = 0;
  for (const PlannedCall& call : record.calls) {
    Posterior::Drawn one = draw.sample(0, call.size);
    // A list of another length makes the whole one of another length.
    if (one.call != nullptr ? !has_length(*one.call) : !one.right) return 1;
    scale += draw.error_scale(call.size) / static_cast<f64>(record.calls.size());
    // A right one that was not seen is as good as one that was. The same list twice would leave
    // fewer numbers between which errors even out, so others are looked for.
    for (i64 tries = 0; tries < kTries; ++tries) {
      if (one.call != nullptr && has_length(*one.call) && !used.contains(one.call)) break;
      const Posterior::Drawn other = draw.sample(0, call.size);
      if (other.call != nullptr && has_length(*other.call)) one = other;
    }
    if (one.call == nullptr) continue;
    used.insert(one.call);
    truths.push_back(numbers_of(one.call->truth));
    values.push_back(numbers_of(one.call->value));
  }
  const f64 error = sort_errors(merged(std::move(truths)), merged(std::move(values)))[0].second;
  return std::min(1.0, scale * error);
}

f64 Predictor::Impl::needle_error(const PlannedRecord& record, Posterior& draw) const {
  i64 right = 0;
  i64 others = 0;  // no two alike
  for (const PlannedCall& call : record.calls) {
    const i64 kind = CallCells::kind_of(false, call.needles);
    const Posterior::Drawn one = draw.sample(kind, call.size);
    // A wrong answer that was not seen says nothing where something is, else something.
    const bool says = one.call != nullptr ? !one.call->value.is_none() : kind == 0;
    if (kind == 1 && one.right) {
      ++right;
    } else if (!one.right && says) {
      ++others;
    }
  }
  if (!record.target) return others > 0 ? 1 : 0;
  if (right == 0) return 1;
  return right > 1 ? 0 : 1 - 1 / static_cast<f64>(1 + others);
}

f64 Predictor::Impl::code_error(const PlannedRecord& record, Posterior& draw) const {
  std::set<i64> wanted;
  std::set<i64> found;
  bool last_right = true;
  for (const PlannedCall& call : record.calls) {
    if (call.last) {
      last_right = draw.sample(2, call.size).right;
      continue;
    }
    for (const i64 place : call.which) {
      wanted.insert(place);
      if (draw.sample(1, call.size).right) found.insert(place);
    }
  }
  return found == wanted && last_right ? 0 : 1;
}

f64 Predictor::Impl::error_of(const PlannedRecord& record, i64 n, Posterior& draw) const {
  switch (calibration_.problem) {
    case Problem::kCount: {
      f64 off = 0;
      for (const PlannedCall& call : record.calls)
        off += draw.count_error(call);
      return std::abs(off) / static_cast<f64>(std::max<i64>(n, 1));
    }
    case Problem::kSort:
      return sort_error(record, draw);
    case Problem::kNeedle:
      return needle_error(record, draw);
    case Problem::kMultiNeedle:
      return code_error(record, draw);
  }
  return kNone;
}

/// Tokens of a call's reply: the mean of its size, spread like a sample.
f64 Predictor::Impl::decode_of(const PlannedCall& call, Posterior& draw) const {
  const i64 kind = CallCells::kind_of(call.last, call.needles);
  if (calibration_.problem == Problem::kCount) {
    // A number is as long as the count is large: of several samples the one with the nearest.
    const CallSample* nearest = nullptr;
    const auto distance = [&](const CallSample& one) {
      return std::abs(one.truth.number() - call.truth.number());
    };
    for (i64 i = 0; i < kTries || nearest == nullptr; ++i) {
      const CallSample* const one = draw.sample(kind, call.size).call;
      if (one != nullptr && (nearest == nullptr || distance(*one) < distance(*nearest)))
        nearest = one;
    }
    return static_cast<f64>(nearest->tokens.decode);
  }
  const std::vector<CallCell>& cells = cells_.of(kind);
  const CallCells::Between place = cells_.between(kind, call.size);
  const f64 mean = place.mix(cells[usize(place.low)].decode, cells[usize(place.high)].decode);
  const Posterior::Drawn one = draw.sample(kind, call.size);
  if (one.call == nullptr || !(one.cell->decode > 0)) return mean;
  // Calibrated pieces have one needle; what is found of several is copied.
  if (calibration_.problem == Problem::kMultiNeedle && kind == 1)
    return static_cast<f64>(one.call->tokens.decode * (one.right ? call.needles : 1));
  return mean * static_cast<f64>(one.call->tokens.decode) / one.cell->decode;
}

Predictor::Impl::Means Predictor::Impl::means(const std::vector<PlannedRecord>& records, i64 n,
                                              const PredictOptions& options, i64 number,
                                              bool varied) const {
  Posterior draw(cells_, options.seed, number, varied);
  Means out;
  const f64 share = 1 / static_cast<f64>(records.size());
  for (const PlannedRecord& record : records) {
    out.error += share * error_of(record, n, draw);
    std::vector<Step> steps = record.steps;
    std::size_t k = 0;
    i64 lost = 0;  // tokens of sentences that the last call does not get to see
    for (Step& step : steps) {
      if (!step.call) continue;
      const PlannedCall& call = record.calls[k++];
      if (calibration_.problem == Problem::kMultiNeedle && !call.last && call.needles > 0) {
        if (!draw.sample(1, call.size).right) lost += call.reply_tokens;
      }
      const f64 decode = decode_of(call, draw);
      const i64 shown = call.prompt_tokens - (call.last ? std::min(lost, call.prompt_tokens) : 0);
      const f64 prefill = static_cast<f64>(shown + extra_[call.last ? 1 : 0]);
      out.decode += share * decode;
      if (options.prices) out.price += share * options.prices->of(prefill, decode);
      step.seconds = calibration_.time.of(prefill, decode) *
                     slowness_[usize(draw.random().below(isize(slowness_)))];
      out.latency += share * step.seconds;
    }
    out.ideal += share * list_timeline(steps, 0).seconds;
    out.parallel += share * (options.blocks ? block_timeline(steps, options.workers)
                                            : list_timeline(steps, options.workers).seconds);
  }
  return out;
}

f64 Predictor::Impl::interpolated(i64 size, f64 SizeSummary::*what) const {
  const auto above = std::find_if(sizes_.begin(), sizes_.end(),
                                  [&](const SizeSummary& one) { return one.size >= size; });
  if (above == sizes_.end()) return sizes_.back().*what;
  if (above == sizes_.begin()) return sizes_.front().*what;
  const SizeSummary& low = above[-1];
  const f64 weight = static_cast<f64>(size - low.size) / static_cast<f64>(above->size - low.size);
  return low.*what + weight * ((*above).*what - low.*what);
}

f64 Predictor::Impl::per_unit(i64 size, f64 SizeSummary::*what) const {
  const auto of = [&](const SizeSummary& one) { return one.*what / static_cast<f64>(one.size); };
  const f64 at = static_cast<f64>(size);
  const auto above = std::find_if(sizes_.begin(), sizes_.end(),
                                  [&](const SizeSummary& one) { return one.size >= size; });
  if (above == sizes_.end()) return at * of(sizes_.back());
  if (above == sizes_.begin()) return at * of(sizes_.front());
  const f64 weight =
      static_cast<f64>(size - above[-1].size) / static_cast<f64>(above->size - above[-1].size);
  return at * (of(above[-1]) + weight * (of(*above) - of(above[-1])));
}

f64 Predictor::Impl::formula(const std::vector<PlannedRecord>& records, i64 n) const {
  f64 sum = 0;
  for (const PlannedRecord& record : records) {
    if (calibration_.problem == Problem::kCount) {
      f64 mean = 0;
      f64 variance = 0;
      for (const PlannedCall& call : record.calls) {
        mean += per_unit(call.size, &SizeSummary::error_mean);
        variance += per_unit(call.size, &SizeSummary::error_variance);
      }
      sum += folded_mean(mean, std::sqrt(variance)) / static_cast<f64>(std::max<i64>(n, 1));
    } else if (calibration_.problem == Problem::kNeedle) {
      const i64 size = record.calls.empty() ? 1 : record.calls[0].size;
      const f64 h = interpolated(size, &SizeSummary::false_rate);
      const i64 holding = std::count_if(record.calls.begin(), record.calls.end(),
                                        [](const PlannedCall& call) { return call.needles > 0; });
      sum += record.target ? retrieval_error(interpolated(size, &SizeSummary::error_mean), h,
                                             holding, isize(record.calls))
                           : any_of(h, isize(record.calls));
    } else {
      return kNone;
    }
  }
  return sum / static_cast<f64>(records.size());
}

f64 Predictor::Impl::code_bound(const PlannedRecord& record) const {
  std::map<i64, f64> missed;  // by every piece that holds it
  for (const PlannedCall& call : record.calls) {
    for (const i64 place : call.which)
      missed.try_emplace(place, 1).first->second *=
          interpolated(call.size, &SizeSummary::error_mean);
  }
  std::vector<f64> rates;
  for (const auto& [place, rate] : missed)
    rates.push_back(rate);
  f64 wrong = 0;
  f64 all = 0;
  for (const CallSample& one : calibration_.samples) {
    if (!one.last) continue;
    all += 1;
    wrong += is_right(Problem::kMultiNeedle, one) ? 0 : 1;
  }
  rates.push_back(all > 0 ? wrong / all : 1);
  return union_bound(rates);
}

f64 Predictor::Impl::bound(const std::vector<PlannedRecord>& records, i64 n) const {
  f64 sum = 0;
  for (const PlannedRecord& record : records) {
    if (calibration_.problem == Problem::kCount) {
      for (const PlannedCall& call : record.calls)
        sum += folded_mean(per_unit(call.size, &SizeSummary::error_mean),
                           std::sqrt(per_unit(call.size, &SizeSummary::error_variance))) /
               static_cast<f64>(std::max<i64>(n, 1));
    } else if (calibration_.problem == Problem::kSort) {
      std::vector<f64> errors;
      std::vector<i64> lengths;
      f64 right = 1;  // that all lengths are
      for (const PlannedCall& call : record.calls) {
        const f64 wrong = interpolated(call.size, &SizeSummary::false_rate);
        right *= 1 - wrong;
        errors.push_back(interpolated(call.size, &SizeSummary::error_mean) - wrong);
        lengths.push_back(call.size);
      }
      sum += std::min(1.0, 1 - right + merge_mean_bound(errors, lengths));
    } else if (calibration_.problem == Problem::kMultiNeedle) {
      sum += code_bound(record);
    } else {
      return kNone;
    }
  }
  return sum / static_cast<f64>(records.size());
}

namespace {

/// The middle 95 of 100, and the mean of others. One more draw of n is below the r-th smallest in r
/// of n + 1 cases: the r that leaves 2.5 of 100 at each side, so that no place between two draws is
/// made up for figures that are multiples of one.
Interval interval(std::vector<f64> varied, const std::vector<f64>& plain) {
  Interval out;
  out.mean = stat::mean_error(plain).mean;
  std::sort(varied.begin(), varied.end());
  const i64 outside = std::max<i64>((isize(varied) + 1) / 40, 1);
  out.low = varied[usize(outside - 1)];
  out.high = varied[usize(isize(varied) - outside)];
  return out;
}

}  // namespace

Prediction Predictor::Impl::predict(const std::vector<PlannedRecord>& records, i64 n,
                                    const PredictOptions& options) const {
  LM_CHECK(!records.empty(), "there are records");
  Prediction out;
  for (const PlannedRecord& record : records) {
    out.calls += static_cast<f64>(record.calls.size());
    std::vector<Step> steps = record.steps;
    std::size_t k = 0;
    for (Step& step : steps) {
      if (!step.call) continue;
      const PlannedCall& call = record.calls[k++];
      const i64 kind = CallCells::kind_of(call.last, call.needles);
      if (cells_.of(kind).empty())
        throw Error(ErrorKind::kData, cat("the calibration has no samples of ",
                                          kind == 2   ? "the last call"
                                          : kind == 1 ? "pieces with a target"
                                                      : "pieces without a target"));
      const i64 prefill = call.prompt_tokens + extra_[call.last ? 1 : 0];
      out.prefill += static_cast<f64>(prefill);
      step.held_tokens = prefill + std::llround(interpolated(call.size, &SizeSummary::decode));
      step.seconds = 1;
      if (!call.last) out.beyond = out.beyond || call.size > calibration_.sizes.back();
    }
    out.peak_tokens += static_cast<f64>(list_timeline(steps, options.workers).peak_tokens);
  }
  // Sums first: means of whole numbers that are alike are whole.
  for (f64* const mean : {&out.calls, &out.prefill, &out.peak_tokens})
    *mean /= static_cast<f64>(records.size());
  struct Samples {
    std::vector<f64> error, decode, latency, ideal, parallel, price;
    void add(const Means& m) {
      error.push_back(m.error);
      decode.push_back(m.decode);
      latency.push_back(m.latency);
      ideal.push_back(m.ideal);
      parallel.push_back(m.parallel);
      price.push_back(m.price);
    }
  };
  Samples varied;
  Samples plain;
  for (i64 b = 0; b < options.draws; ++b)
    varied.add(means(records, n, options, b, true));
  for (i64 b = 0; b < std::max<i64>(options.draws / 2, 1); ++b)
    plain.add(means(records, n, options, options.draws + b, false));
  out.error = interval(std::move(varied.error), plain.error);
  out.decode = interval(std::move(varied.decode), plain.decode);
  out.latency = interval(std::move(varied.latency), plain.latency);
  out.latency_ideal = interval(std::move(varied.ideal), plain.ideal);
  out.latency_p = interval(std::move(varied.parallel), plain.parallel);
  out.price = stat::mean_error(plain.price).mean;
  out.formula = formula(records, n);
  out.bound = bound(records, n);
  return out;
}

Predictor::Predictor(const Calibration& calibration) : impl_(std::make_unique<Impl>(calibration)) {}
Predictor::~Predictor() = default;

Prediction Predictor::predict(const std::vector<PlannedRecord>& records, i64 n,
                              const PredictOptions& options) const {
  return impl_->predict(records, n, options);
}

i64 best_of(const std::vector<Prediction>& predictions) {
  const auto best = std::min_element(predictions.begin(), predictions.end(),
                                     [](const Prediction& a, const Prediction& b) {
                                       if (a.error.mean != b.error.mean)
                                         return a.error.mean < b.error.mean;
                                       return a.prefill < b.prefill;
                                     });
  return best - predictions.begin();
}

}  // namespace lm::flow
