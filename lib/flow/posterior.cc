#include "flow/posterior.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/str.h"

namespace lm::flow {

f64 DrawSequence::exponential() {
  return -std::log(uniform());
}

f64 DrawSequence::normal() {
  const f64 radius = std::sqrt(2 * exponential());
  return radius * std::cos(2 * M_PI * uniform());
}

f64 DrawSequence::half() {
  const f64 z = normal();
  return z * z / 2;
}

CallCells::CallCells(const Calibration& calibration) : problem_(calibration.problem) {
  std::map<std::pair<i64, i64>, CallCell> cells;  // by kind and size
  for (const CallSample& one : calibration.samples) {
    CallCell& cell = cells[{kind_of(one.last, one.needles), one.last ? 0 : one.size}];
    cell.size = one.size;
    cell.samples.push_back(&one);
  }
  for (auto& [key, cell] : cells) {
    const f64 n = static_cast<f64>(cell.samples.size());
    for (const CallSample* const one : cell.samples)
      cell.decode += static_cast<f64>(one->tokens.decode) / n;
    kinds_[usize(key.first)].push_back(std::move(cell));
  }
}

CallCells::Between CallCells::between(i64 kind, i64 size) const {
  const std::vector<CallCell>& cells = of(kind);
  LM_CHECK(!cells.empty(), "samples of the kind");
  const auto above = std::find_if(cells.begin(), cells.end(),
                                  [&](const CallCell& cell) { return cell.size >= size; });
  const i64 high = std::min(above - cells.begin(), isize(cells) - 1);
  if (above == cells.end() || above == cells.begin()) return {high, high, 0};
  const f64 top = static_cast<f64>(cells[usize(high)].size);
  const f64 bottom = static_cast<f64>(cells[usize(high - 1)].size);
  return {high - 1, high, (static_cast<f64>(size) - bottom) / (top - bottom)};
}

Posterior::Posterior(const CallCells& cells, u64 seed, i64 number, bool varied)
    : cells_(cells), random_(seed, cat("flow predict ", number)), varied_(varied) {
  for (i64 k = 0; k < CallCells::kKinds; ++k) {
    for (const CallCell& cell : cells.of(k))
      weigh(cell, states_[usize(k)].emplace_back());
  }
}

Posterior::Drawn Posterior::sample(i64 kind, i64 size) {
  const std::vector<CallCell>& cells = cells_.of(kind);
  const CallCells::Between place = cells_.between(kind, size);
  const i64 at = place.weight > 0 && random_.uniform() < place.weight ? place.high : place.low;
  const State& state = states_[usize(kind)][usize(at)];
  const CallCell& cell = cells[usize(at)];
  const f64 u = random_.uniform();
  const i64 i = std::upper_bound(state.up_to.begin(), state.up_to.end(), u) - state.up_to.begin();
  if (i == isize(state.up_to)) return {nullptr, u >= state.wrong_to, &cell};
  const CallSample* const one = cell.samples[usize(i)];
  return {one, is_right(cells_.problem(), *one), &cell};
}

f64 Posterior::count_error(const PlannedCall& call) {
  const std::vector<CallCell>& cells = cells_.of(0);
  const CallCells::Between place = cells_.between(0, call.size);
  const Drawn drawn = sample(0, call.size);
  const f64 size = static_cast<f64>(call.size);
  const auto mean_at = [&](i64 at) {
    const State& state = states_[0][usize(at)];
    const f64 count =
        call.truth.number() * static_cast<f64>(cells[usize(at)].size) / std::max(size, 1.0);
    return state.mean + state.slope * (count - state.count);
  };
  // Between sizes the error per unit is linear: errors grow faster than the size.
  const auto mixed = [&](f64 low, f64 high) {
    return size * place.mix(low / static_cast<f64>(cells[usize(place.low)].size),
                            high / static_cast<f64>(cells[usize(place.high)].size));
  };
  const f64 mean = mixed(mean_at(place.low), mean_at(place.high));
  const f64 variance =
      mixed(states_[0][usize(place.low)].variance, states_[0][usize(place.high)].variance);
  const State& state = states_[0][usize(drawn.cell - cells.data())];
  f64 error = mean;
  if (state.spread > 0) {
    const f64 rest = drawn.call == nullptr
                         ? state.unseen - state.centre
                         : value_error(Problem::kCount, *drawn.call) - state.centre -
                               state.slope * (drawn.call->truth.number() - state.count);
    error += rest * std::sqrt(variance / state.spread);
  }
  // Counts are whole, and most calls may be right: rounded up as often as the mean needs it.
  return std::floor(error + random_.uniform());
}

f64 Posterior::error_scale(i64 size) const {
  const CallCells::Between place = cells_.between(0, size);
  return place.mix(states_[0][usize(place.low)].scale, states_[0][usize(place.high)].scale);
}

Posterior::Stretch Posterior::stretch_of(i64 n) {
  if (!varied_ || n < 2) return {};
  const f64 count = static_cast<f64>(n);
  // Wilson and Hilferty's cube of a normal draw for chi^2(nu) / nu.
  const f64 nu = std::max(2.0, count * count / 6);
  const f64 root = 1 - 2 / (9 * nu) + random_.normal() * std::sqrt(2 / (9 * nu));
  const f64 kappa2 = 1 / std::max(root * root * root, 0.02);
  return {std::sqrt((count + 1) / (count - 1) * kappa2), kappa2};
}

void Posterior::weigh(const CallCell& cell, State& state) {
  std::vector<f64> weights;
  f64 sum = 0;
  for (std::size_t i = 0; i < cell.samples.size(); ++i)
    sum += weights.emplace_back(varied_ ? random_.exponential() : 1);
  f64 wrong = varied_ ? random_.half() : 0;
  f64 right = varied_ ? random_.half() : 0;
  // An error of counting that was not seen is one beside the mean, whatever that is.
  if (cells_.problem() == Problem::kCount) right = 0;
  const f64 all = sum + wrong + right;
  f64 before = 0;
  for (f64& weight : weights) {
    weight /= all;
    state.up_to.push_back(before += weight);
  }
  wrong /= all;
  state.wrong_to = before + wrong;
  if (cells_.problem() == Problem::kCount) fit_count(cell, weights, wrong, state);
  if (cells_.problem() == Problem::kSort) fit_sort(cell, weights, state);
}

void Posterior::fit_count(const CallCell& cell, const std::vector<f64>& weights, f64 unseen,
                          State& state) {
  const i64 n = isize(cell.samples);
  const f64 count = static_cast<f64>(n);
  std::vector<f64> errors;
  f64 mean = 0;
  f64 squares = 0;
  i64 above = 0;
  i64 below = 0;
  for (const CallSample* const one : cell.samples) {
    const f64 e = errors.emplace_back(value_error(Problem::kCount, *one));
    mean += e / count;
    squares += e * e / count;
    above += e > 0 ? 1 : 0;
    below += e < 0 ? 1 : 0;
  }
  const f64 varies = std::max(0.0, squares - mean * mean) * count / std::max(1.0, count - 1);
  const f64 up = (static_cast<f64>(above) + 0.5) / static_cast<f64>(above + below + 1);
  const f64 step = std::max(1.0, std::sqrt(varies));
  state.unseen = mean + (varied_ && random_.uniform() >= up ? -step : step);
  // Weighted, the unseen one at the mean count.
  state.centre = unseen * state.unseen;
  f64 seen = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    state.centre += weights[i] * errors[i];
    state.count += weights[i] * cell.samples[i]->truth.number();
    seen += weights[i];
  }
  state.count /= seen;
  f64 ee = unseen * (state.unseen - state.centre) * (state.unseen - state.centre);
  f64 ec = 0;
  f64 cc = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const f64 e = errors[i] - state.centre;
    const f64 c = cell.samples[i]->truth.number() - state.count;
    ee += weights[i] * e * e;
    ec += weights[i] * e * c;
    cc += weights[i] * c * c;
  }
  // A slope as far as it shows: (1 - 2 / t^2) of it.
  const f64 slope = cc > 1e-9 ? ec / cc : 0;
  const f64 noise = std::max(0.0, ee - slope * ec) / std::max(1.0, count - 2);
  const f64 shown = slope * ec > 0 ? std::max(0.0, 1 - 2 * noise / (slope * ec)) : 0;
  state.slope = slope * shown;
  const f64 fitted = shown > 0 ? 2 : 1;  // a mean, and perhaps a slope
  const Stretch stretch = stretch_of(n);
  state.mean = mean + (state.centre - mean) * stretch.mean;
  if (varied_ && varies > 0) {
    const f64 t2 = count * mean * mean / varies;
    const f64 none = std::sqrt(count + 1) * std::pow(1 + t2 / (count - 1), -count / 2);
    if (random_.uniform() < none / (1 + none)) state.mean = 0;
  }
  state.spread = std::max(0.0, ee - state.slope * ec);
  state.variance = state.spread * stretch.variance * (varied_ ? count + 1 : count) /
                   std::max(1.0, count - fitted);
}

void Posterior::fit_sort(const CallCell& cell, const std::vector<f64>& weights, State& state) {
  // Of lists of the right length alone: what another length is is counted as wrong.
  f64 weighted = 0;
  f64 weight = 0;
  f64 mean = 0;
  i64 n = 0;
  for (std::size_t i = 0; i < cell.samples.size(); ++i) {
    if (!has_length(*cell.samples[i])) continue;
    const f64 e = value_error(Problem::kSort, *cell.samples[i]);
    weighted += weights[i] * e;
    weight += weights[i];
    mean += e;
    ++n;
  }
  if (n == 0 || !(weighted > 0)) return;
  weighted /= weight;
  mean /= static_cast<f64>(n);
  const f64 drawn = mean + (weighted - mean) * stretch_of(n).mean;
  state.scale = std::max(drawn, 0.0) / weighted;
}

}  // namespace lm::flow
