#include "flow/predict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"
#include "flow/error_model.h"
#include "flow/reduce.h"
#include "stat/mean.h"

namespace lm::flow {

namespace {

constexpr f64 kNone = std::numeric_limits<f64>::quiet_NaN();

std::vector<f64> numbers_of(const text::Value& value) {
  std::vector<f64> out;
  if (value.is_list())
    for (const text::Value& item : value.list())
      if (item.is_number()) out.push_back(item.number());
  return out;
}

std::vector<f64> merged(std::vector<std::vector<f64>> lists) {
  return merge_all(std::move(lists), MergeWay::kTree, std::less<>());
}

/// Draws one after the other.
class Counter {
 public:
  Counter(u64 seed, std::string_view what) : stream_(seed, RandomPurpose::kOther, xxh3_64(what)) {}
  f64 uniform() { return stream_.uniform(at_++); }
  f64 exponential() { return -std::log(uniform()); }
  i64 below(i64 bound) { return static_cast<i64>(stream_.below(at_++, static_cast<u64>(bound))); }

 private:
  RandomStream stream_;
  u64 at_ = 0;
};

}  // namespace

class Predictor::Impl {
 public:
  explicit Impl(const Calibration& calibration)
      : calibration_(calibration),
        extra_{extra_tokens(calibration, false).value_or(0),
               extra_tokens(calibration, true).value_or(0)} {
    for (const i64 size : calibration.sizes)
      sizes_.push_back(summarise(calibration, size));
    std::map<std::pair<i64, i64>, Cell> cells;  // by kind and size
    for (const CallSample& one : calibration.samples) {
      // Last calls are one kind of call, whatever the length of their notes.
      Cell& cell = cells[{kind_of(one.last, one.needles), one.last ? 0 : one.size}];
      cell.size = one.size;
      cell.samples.push_back(&one);
      const f64 fitted = calibration.time.of(one.tokens);
      slowness_.push_back(fitted > 0 ? one.seconds / fitted : 1);
    }
    for (auto& [key, cell] : cells) {
      for (const CallSample* const one : cell.samples) {
        const f64 n = static_cast<f64>(cell.samples.size());
        cell.decode += static_cast<f64>(one->tokens.decode) / n;
      }
      kinds_[usize(key.first)].push_back(std::move(cell));
    }
  }

  Prediction predict(const std::vector<PlannedRecord>& records, i64 n,
                     const PredictOptions& options) const;

 private:
  struct Cell {
    i64 size = 0;
    std::vector<const CallSample*> samples;
    f64 decode = 0;  // mean tokens
  };
  using Kind = std::vector<Cell>;  // ascending sizes

  static i64 kind_of(bool last, i64 needles) { return last ? 2 : needles > 0 ? 1 : 0; }

  /// The cells around a size, and the weight of the upper one.
  struct Between {
    i64 low = 0, high = 0;
    f64 weight = 0;
  };
  static f64 between_units(f64 low, f64 high, f64 weight) { return low + weight * (high - low); }
  static Between between(const Kind& kind, i64 size) {
    LM_CHECK(!kind.empty(), "samples of the kind");
    const auto above =
        std::find_if(kind.begin(), kind.end(), [&](const Cell& cell) { return cell.size >= size; });
    const i64 high = std::min(above - kind.begin(), isize(kind) - 1);
    const f64 at = static_cast<f64>(size);
    const f64 top = static_cast<f64>(kind[usize(high)].size);
    if (above == kind.end() || above == kind.begin()) return {high, high, 0};
    const f64 bottom = static_cast<f64>(kind[usize(high - 1)].size);
    return {high - 1, high, (at - bottom) / (top - bottom)};
  }

  /// A calibration that might have been: weights of samples, drawn as a Bayesian bootstrap, and of
  /// what no sample shows.
  class Draw {
   public:
    Draw(const Impl& own, u64 seed, i64 number, bool varied)
        : own_(own), random_(seed, cat("flow predict ", number)), varied_(varied) {
      for (std::size_t k = 0; k < own.kinds_.size(); ++k) {
        for (const Cell& cell : own.kinds_[k])
          weigh(cell, states_[k].emplace_back());
      }
    }
    Counter& random() { return random_; }

    /// A sample for a piece, from the cells around its size; null: one that no sample shows.
    const CallSample* sample(i64 kind, i64 size, const Cell** from = nullptr) {
      const Kind& cells = own_.kinds_[usize(kind)];
      const Between place = between(cells, size);
      const i64 at = place.weight > 0 && random_.uniform() < place.weight ? place.high : place.low;
      const State& state = states_[usize(kind)][usize(at)];
      if (from != nullptr) *from = &cells[usize(at)];
      const f64 u = random_.uniform();
      const i64 i =
          std::upper_bound(state.up_to.begin(), state.up_to.end(), u) - state.up_to.begin();
      return i < isize(state.up_to) ? cells[usize(at)].samples[usize(i)] : nullptr;
    }

    /// Signed error of counting a piece: what calls of its size make of such a count, and the
    /// rest of a sample. Pieces of one text have counts alike, and so have errors that grow with
    /// them.
    f64 count_error(const PlannedCall& call) {
      const Kind& cells = own_.kinds_[0];
      const Between place = between(cells, call.size);
      const Cell* cell = nullptr;
      const CallSample* const one = sample(0, call.size, &cell);
      const auto mean_at = [&](i64 at) {
        const State& state = states_[0][usize(at)];
        const f64 count = call.truth.number() * static_cast<f64>(cells[usize(at)].size) /
                          static_cast<f64>(std::max<i64>(call.size, 1));
        return state.mean + state.slope * (count - state.count);
      };
      // Between sizes the error per unit is linear: errors grow faster than the size.
      const auto mixed = [&](f64 low, f64 high) {
        return static_cast<f64>(call.size) *
               between_units(low / static_cast<f64>(cells[usize(place.low)].size),
                             high / static_cast<f64>(cells[usize(place.high)].size), place.weight);
      };
      const f64 mean = mixed(mean_at(place.low), mean_at(place.high));
      const f64 variance =
          mixed(states_[0][usize(place.low)].variance, states_[0][usize(place.high)].variance);
      f64 error = mean;
      const State& state = states_[0][usize(cell - cells.data())];
      if (one == nullptr) {  // unseen: an error of one
        error += random_.uniform() < 0.5 ? -1 : 1;
      } else if (state.variance > 0) {
        const f64 rest = value_error(Problem::kCount, *one) - state.mean -
                         state.slope * (one->truth.number() - state.count);
        error += rest * std::sqrt(variance / state.variance);
      }
      // Counts are whole, and most calls may be right: rounded up as often as the mean needs it.
      return std::floor(error + random_.uniform());
    }

   private:
    struct State {
      std::vector<f64> up_to;  // cumulative weights; what is left to 1 is unseen
      // Of errors of counting: mean, at the mean count, what they grow by with it, and the rest.
      f64 mean = 0, count = 0, slope = 0, variance = 0;
    };

    void weigh(const Cell& cell, State& state) {
      f64 sum = 0;
      for (std::size_t i = 0; i < cell.samples.size(); ++i) {
        sum += varied_ ? random_.exponential() : 1;
        state.up_to.push_back(sum);
      }
      // Of the unseen Gamma(1/2), half the square of a normal draw: Jeffreys' prior.
      const f64 z = std::sqrt(2 * random_.exponential()) * std::cos(2 * M_PI * random_.uniform());
      const f64 all = sum + (varied_ ? z * z / 2 : 0);
      f64 before = 0;
      for (f64& up : state.up_to)
        up /= all;
      if (own_.calibration_.problem != Problem::kCount) return;
      const f64 seen = sum / all;
      f64 ee = 0, ec = 0, cc = 0;
      for (std::size_t i = 0; i < cell.samples.size(); ++i) {
        const f64 weight = (state.up_to[i] - before) / seen;
        before = state.up_to[i];
        const f64 e = value_error(Problem::kCount, *cell.samples[i]);
        const f64 c = cell.samples[i]->truth.number();
        state.mean += weight * e;
        state.count += weight * c;
        ee += weight * e * e;
        ec += weight * e * c;
        cc += weight * c * c;
      }
      ec -= state.mean * state.count;
      cc -= state.count * state.count;
      state.slope = cc > 1e-9 ? ec / cc : 0;
      // Unbiased of samples alike; a mean and a slope were fitted.
      const f64 n = static_cast<f64>(cell.samples.size());
      const f64 rest = std::max(0.0, ee - state.mean * state.mean - state.slope * ec);
      state.variance = rest * (n > 2 ? n / (n - 2) : 1);
    }

    const Impl& own_;
    Counter random_;
    const bool varied_;
    std::array<std::vector<State>, 3> states_;
  };

  f64 error_of(const PlannedRecord& record, i64 n, Draw& draw) const;
  f64 sort_error(const PlannedRecord& record, Draw& draw) const;
  f64 needle_error(const PlannedRecord& record, Draw& draw) const;
  f64 code_error(const PlannedRecord& record, Draw& draw) const;
  f64 decode_of(const PlannedCall& call, Draw& draw) const;
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
  std::array<Kind, 3>
      kinds_;  // pieces without a needle or of no such problem, with one, last calls
  std::vector<SizeSummary> sizes_;
  std::vector<f64> slowness_;  // seconds of calibrated calls over those fitted
  std::array<i64, 2> extra_;   // tokens of prompts beyond their text, of pieces and of last calls
};

f64 Predictor::Impl::sort_error(const PlannedRecord& record, Draw& draw) const {
  std::vector<std::vector<f64>> truths;
  std::vector<std::vector<f64>> values;
  for (const PlannedCall& call : record.calls) {
    const CallSample* one = draw.sample(0, call.size);
    while (one == nullptr)  // an order has no flipped outcome
      one = draw.sample(0, call.size);
    truths.push_back(numbers_of(one->truth));
    values.push_back(numbers_of(one->value));
  }
  return sort_errors(merged(std::move(truths)), merged(std::move(values)))[0].second;
}

f64 Predictor::Impl::needle_error(const PlannedRecord& record, Draw& draw) const {
  i64 right = 0;
  i64 others = 0;  // no two alike
  for (const PlannedCall& call : record.calls) {
    const i64 kind = kind_of(false, call.needles);
    const CallSample* const one = draw.sample(kind, call.size);
    // What no sample shows is as likely right as wrong.
    const bool wrong_unseen = one == nullptr && draw.random().uniform() < 0.5;
    if (kind == 1) {
      if (one != nullptr ? is_right(Problem::kNeedle, *one) : !wrong_unseen) {
        ++right;
      } else if (one != nullptr && !one->value.is_none()) {
        ++others;
      }
    } else if (one != nullptr ? !one->value.is_none() : wrong_unseen) {
      ++others;
    }
  }
  if (!record.target) return others > 0 ? 1 : 0;
  if (right == 0) return 1;
  return right > 1 ? 0 : 1 - 1 / static_cast<f64>(1 + others);
}

f64 Predictor::Impl::code_error(const PlannedRecord& record, Draw& draw) const {
  std::set<i64> wanted;
  std::set<i64> found;
  bool last_right = true;
  for (const PlannedCall& call : record.calls) {
    if (call.last) {
      const CallSample* const one = draw.sample(2, call.size);
      last_right =
          one != nullptr ? is_right(Problem::kMultiNeedle, *one) : draw.random().uniform() < 0.5;
      continue;
    }
    for (const i64 place : call.which) {
      wanted.insert(place);
      const CallSample* const one = draw.sample(1, call.size);
      if (one != nullptr ? is_right(Problem::kMultiNeedle, *one) : draw.random().uniform() < 0.5)
        found.insert(place);
    }
  }
  return found == wanted && last_right ? 0 : 1;
}

f64 Predictor::Impl::error_of(const PlannedRecord& record, i64 n, Draw& draw) const {
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
f64 Predictor::Impl::decode_of(const PlannedCall& call, Draw& draw) const {
  const i64 kind = kind_of(call.last, call.needles);
  if (calibration_.problem == Problem::kCount) {
    // A number is as long as the count is large: of several samples the one with the nearest.
    constexpr i64 kTries = 8;
    const CallSample* nearest = nullptr;
    const auto distance = [&](const CallSample& one) {
      return std::abs(one.truth.number() - call.truth.number());
    };
    for (i64 i = 0; i < kTries || nearest == nullptr; ++i) {
      const CallSample* const one = draw.sample(kind, call.size);
      if (one != nullptr && (nearest == nullptr || distance(*one) < distance(*nearest)))
        nearest = one;
    }
    return static_cast<f64>(nearest->tokens.decode);
  }
  const Kind& cells = kinds_[usize(kind)];
  const Between place = between(cells, call.size);
  const f64 low = cells[usize(place.low)].decode;
  const f64 mean = between_units(low, cells[usize(place.high)].decode, place.weight);
  const Cell* cell = nullptr;
  const CallSample* const one = draw.sample(kind, call.size, &cell);
  if (one == nullptr || !(cell->decode > 0)) return mean;
  // Calibrated pieces have one needle; what is found of several is copied.
  if (calibration_.problem == Problem::kMultiNeedle && kind == 1)
    return static_cast<f64>(one->tokens.decode *
                            (is_right(Problem::kMultiNeedle, *one) ? call.needles : 1));
  return mean * static_cast<f64>(one->tokens.decode) / cell->decode;
}

Predictor::Impl::Means Predictor::Impl::means(const std::vector<PlannedRecord>& records, i64 n,
                                              const PredictOptions& options, i64 number,
                                              bool varied) const {
  Draw draw(*this, options.seed, number, varied);
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
        const CallSample* const one = draw.sample(1, call.size);
        if (one != nullptr && !is_right(Problem::kMultiNeedle, *one)) lost += call.reply_tokens;
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
  return at * between_units(of(above[-1]), of(*above), weight);
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

/// The middle 95 of 100, and the mean of others.
Interval interval(std::vector<f64> varied, const std::vector<f64>& plain) {
  Interval out;
  out.mean = stat::mean_error(plain).mean;
  std::sort(varied.begin(), varied.end());
  out.low = stat::quantile(varied, 0.025);
  out.high = stat::quantile(varied, 0.975);
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
      const i64 kind = kind_of(call.last, call.needles);
      if (kinds_[usize(kind)].empty())
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
