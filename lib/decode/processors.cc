#include "decode/processors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>

#include "cpu/draw.h"

namespace lm::decode {

namespace {

constexpr f64 kInf = std::numeric_limits<f64>::infinity();

/// Keeps the entries for which keep(i) holds.
template <typename Keep>
void filter(TokenWeights& x, Keep keep) {
  std::size_t to = 0;
  for (std::size_t i = 0; i < x.ids.size(); ++i) {
    if (!keep(i)) continue;
    x.ids[to] = x.ids[i];
    x.w[to] = x.w[i];
    ++to;
  }
  x.ids.resize(to);
  x.w.resize(to);
}

/// The k-th largest of values, k >= 1 clamped to their number.
f64 kth_largest(const std::vector<f64>& of, i64 k) {
  if (k == 1) return cpu::max_of(isize(of), of.data());
  std::vector<f64> values = of;
  const std::size_t at = usize(std::min<i64>(k, isize(values)) - 1);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end(),
                   std::greater<>());
  return values[at];
}

f64 entropy(const std::vector<f64>& p, const TokenWeights& x, f64 log_sum) {
  f64 sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i] > 0) sum -= p[i] * (x.w[i] - log_sum);
  return sum;
}

/// Indices 0 to n - 1 by the bin of each, ascending within a bin.
class Bins {
 public:
  template <typename BinOf>
  Bins(std::size_t n, i64 bins, BinOf bin_of) : begin_(usize(bins + 1), 0), order_(n) {
    for (std::size_t i = 0; i < n; ++i)
      ++begin_[usize(bin_of(i) + 1)];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    std::vector<i32> next(begin_.begin(), begin_.end() - 1);
    for (std::size_t i = 0; i < n; ++i)
      order_[usize(next[usize(bin_of(i))]++)] = static_cast<i32>(i);
  }
  std::span<i32> operator[](i64 bin) {
    const i32 from = begin_[usize(bin)];
    return std::span(order_).subspan(usize(from), usize(begin_[usize(bin + 1)] - from));
  }

 private:
  std::vector<i32> begin_, order_;
};

}  // namespace

bool TokenWeights::assign(std::span<const f32> logits) {
  const i64 n = isize(logits);
  std::vector<f32> tops(usize((n + cpu::kTopBlock - 1) / cpu::kTopBlock));
  const cpu::RowKind kind = cpu::scan_row(n, logits.data(), tops.data());
  if (kind == cpu::RowKind::kOdd) return false;
  ids.resize(logits.size());
  w.resize(logits.size());
  if (kind == cpu::RowKind::kFinite) {
    std::iota(ids.begin(), ids.end(), 0);
    std::copy(logits.begin(), logits.end(), w.begin());
    return true;
  }
  std::size_t to = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    ids[to] = static_cast<i32>(i);
    w[to] = static_cast<f64>(logits[i]);
    to += w[to] > -kInf;
  }
  ids.resize(to);
  w.resize(to);
  return true;
}

void TokenWeights::assign(std::span<const f32> logits, std::span<const i32> some) {
  ids.clear();
  w.clear();
  for (const i32 id : some) {
    const f64 value = static_cast<f64>(logits[usize(id)]);
    if (value == -kInf) continue;
    ids.push_back(id);
    w.push_back(value);
  }
}

i64 TokenWeights::find(i32 id) const {
  const auto at = std::lower_bound(ids.begin(), ids.end(), id);
  return at != ids.end() && *at == id ? at - ids.begin() : -1;
}

void TokenWeights::drop_infinite() {
  filter(*this, [&](std::size_t i) { return w[i] > -kInf; });
}

f64 TokenWeights::max() const {
  return cpu::max_of(isize(w), w.data());
}

f64 TokenWeights::log_sum() const {
  std::vector<f64> p;
  return softmax(p);
}

f64 TokenWeights::softmax(std::vector<f64>& p) const {
  p.resize(w.size());
  const f64 top = max();
  const f64 sum = cpu::exp_shifted(isize(w), w.data(), top, p.data());
  for (f64& value : p)
    value /= sum;
  return top + std::log(sum);
}

i64 window_begin(const History& history, bool all, i64 last_n) {
  const i64 from = all ? 0 : history.prompt;
  return last_n > 0 ? std::max(from, isize(history.tokens) - last_n) : from;
}

void apply_repetition(TokenWeights& x, const TokenCounts& seen, f64 theta) {
  for (const auto& [id, count] : seen.of()) {
    const i64 at = x.find(id);
    if (at < 0) continue;
    f64& w = x.w[usize(at)];
    w = w < 0 ? w * theta : w / theta;
  }
}

void apply_frequency(TokenWeights& x, const TokenCounts& seen, f64 frequency, f64 presence) {
  for (const auto& [id, count] : seen.of()) {
    const i64 at = x.find(id);
    if (at >= 0) x.w[usize(at)] -= frequency * static_cast<f64>(count) + presence;
  }
}

void ban_repeated_ngrams(TokenWeights& x, const History& history, i64 n) {
  const std::span<const i32> tokens = history.tokens;
  if (n < 1 || isize(tokens) < n) return;
  const std::span<const i32> tail = tokens.last(usize(n - 1));
  for (i64 i = n - 1; i < isize(tokens); ++i) {
    const std::span<const i32> before = tokens.subspan(usize(i - n + 1), usize(n - 1));
    if (!std::equal(before.begin(), before.end(), tail.begin())) continue;
    const i64 at = x.find(tokens[usize(i)]);
    if (at >= 0) x.w[usize(at)] = -kInf;
  }
  x.drop_infinite();
}

void apply_dry(TokenWeights& x, const History& history, f64 multiplier, f64 base, i64 allowed,
               std::span<const u8> breaker) {
  const std::span<const i32> tokens = history.tokens;
  const i64 n = isize(tokens);
  const auto breaks = [&](i32 id) {
    return static_cast<std::size_t>(id) < breaker.size() && breaker[static_cast<std::size_t>(id)];
  };
  i64 reach = 0;  // tokens at the end without a breaker
  while (reach < n && !breaks(tokens[usize(n - 1 - reach)]))
    ++reach;
  if (reach < allowed) return;
  // z[j]: length of the common prefix of the reversed history and of its part from j on.
  const auto reversed = [&](i64 j) { return tokens[usize(n - 1 - j)]; };
  std::vector<i64> z(usize(n), 0);
  i64 left = 0;
  i64 right = 0;
  for (i64 j = 1; j < n; ++j) {
    i64 k = j < right ? std::min(right - j, z[usize(j - left)]) : 0;
    while (j + k < n && reversed(k) == reversed(j + k))
      ++k;
    z[usize(j)] = k;
    if (j + k > right) {
      left = j;
      right = j + k;
    }
  }
  std::map<i32, i64> longest;  // by next token
  for (i64 i = 1; i < n; ++i) {
    const i64 match = std::min(z[usize(n - i)], reach);
    if (match < allowed || breaks(tokens[usize(i)])) continue;
    i64& m = longest[tokens[usize(i)]];
    m = std::max(m, match);
  }
  for (const auto& [id, match] : longest) {
    const i64 at = x.find(id);
    if (at >= 0) x.w[usize(at)] -= multiplier * std::pow(base, static_cast<f64>(match - allowed));
  }
  x.drop_infinite();
}

void keep_top_k(TokenWeights& x, i64 k, i64 min_keep) {
  const i64 count = std::max(k, min_keep);
  if (x.empty() || count >= isize(x.ids)) return;
  const f64 least = kth_largest(x.w, count);
  filter(x, [&](std::size_t i) { return x.w[i] >= least; });
}

void keep_top_p(TokenWeights& x, f64 p, i64 min_keep) {
  if (x.empty() || isize(x.ids) <= min_keep) return;
  std::vector<f64> prob;
  x.softmax(prob);
  const f64 limit = 1.0 - p;
  // Bins of probabilities from 2^-64 to 1, 32 to an octave. Those of which all tokens go need no
  // order.
  constexpr i64 kBins = 64 * 32 + 1;
  constexpr i64 kLowest = (1023 - 64) * 32;
  Bins bins(prob.size(), kBins, [&](std::size_t i) {
    const i64 at = static_cast<i64>(std::bit_cast<u64>(prob[i]) >> 47) - kLowest;
    return std::clamp<i64>(at, 0, kBins - 1);
  });
  std::vector<u8> gone(prob.size(), 0);
  f64 sum = 0;
  i64 left = isize(x.ids);
  for (i64 b = 0; b < kBins; ++b) {
    const std::span<i32> some = bins[b];
    f64 mass = 0;
    for (const i32 i : some)
      mass += prob[usize(i)];
    const bool all = sum + mass <= limit - 1e-9 && left - isize(some) >= min_keep;
    if (!all) {
      std::sort(some.begin(), some.end(), [&](i32 a, i32 c) {
        const f64 pa = prob[usize(a)];
        const f64 pc = prob[usize(c)];
        return pa != pc ? pa < pc : a > c;
      });
    }
    for (const i32 i : some) {
      if (!all && (sum + prob[usize(i)] > limit || left <= min_keep))
        return filter(x, [&](std::size_t at) { return gone[at] == 0; });
      sum += prob[usize(i)];
      gone[usize(i)] = 1;
      --left;
    }
  }
}

void keep_min_p(TokenWeights& x, f64 min_p, i64 min_keep) {
  if (x.empty()) return;
  const f64 top = x.max();
  const f64 least = kth_largest(x.w, min_keep);
  // Of min_keep's own ties the smaller ids stay, as many as it asks for.
  i64 ties = min_keep - std::count_if(x.w.begin(), x.w.end(), [&](f64 w) { return w > least; });
  filter(x, [&](std::size_t i) {
    const bool kept = x.w[i] > least || (x.w[i] == least && ties-- > 0);
    return kept || std::exp(x.w[i] - top) >= min_p;
  });
}

void keep_typical(TokenWeights& x, f64 tau, bool cut, i64 min_keep) {
  if (x.empty()) return;
  std::vector<f64> p;
  const f64 log_sum = x.softmax(p);
  const f64 h = entropy(p, x, log_sum);
  std::vector<f64> delta(p.size());
  for (std::size_t i = 0; i < p.size(); ++i)
    delta[i] = std::abs(log_sum - x.w[i] - h);
  // Bins of 1/64 nat; those that are kept whole need no order.
  constexpr i64 kBins = 2048;
  Bins bins(p.size(), kBins, [&](std::size_t i) {
    return static_cast<i64>(std::min(64 * delta[i], static_cast<f64>(kBins - 1)));
  });
  std::vector<u8> keep(p.size(), 0);
  f64 sum = 0;
  i64 count = 0;
  bool full = false;  // the mass is reached
  f64 bound = 0;
  for (i64 b = 0; b < kBins; ++b) {
    const std::span<i32> some = bins[b];
    f64 mass = 0;
    for (const i32 i : some)
      mass += p[usize(i)];
    if (full || sum + mass >= tau - 1e-9) {
      std::sort(some.begin(), some.end(), [&](i32 a, i32 c) {
        const f64 x1 = delta[usize(a)];
        const f64 x2 = delta[usize(c)];
        return x1 != x2 ? x1 < x2 : a < c;
      });
    }
    for (const i32 i : some) {
      if (full && count >= min_keep && (cut || delta[usize(i)] > bound))
        return filter(x, [&](std::size_t at) { return keep[at] != 0; });
      keep[usize(i)] = 1;
      ++count;
      if (full) continue;
      sum += p[usize(i)];
      bound = delta[usize(i)];
      full = cut ? sum > tau : sum >= tau;
    }
  }
  // All are kept.
}

void keep_epsilon(TokenWeights& x, f64 epsilon, i64 min_keep) {
  if (x.empty()) return;
  std::vector<f64> p;
  x.softmax(p);
  const f64 least = kth_largest(x.w, min_keep);
  filter(x, [&](std::size_t i) { return p[i] >= epsilon || x.w[i] >= least; });
}

void keep_eta(TokenWeights& x, f64 eta, i64 min_keep) {
  if (x.empty()) return;
  std::vector<f64> p;
  const f64 h = entropy(p, x, x.softmax(p));
  const f64 bound = std::min(eta, std::sqrt(eta) * std::exp(-h));
  const f64 least = kth_largest(x.w, min_keep);
  filter(x, [&](std::size_t i) { return p[i] >= bound || x.w[i] >= least; });
}

void keep_top_n_sigma(TokenWeights& x, f64 n, i64 min_keep) {
  if (x.empty()) return;
  const f64 count = static_cast<f64>(x.w.size());
  const f64 mean = std::accumulate(x.w.begin(), x.w.end(), 0.0) / count;
  f64 squares = 0;
  for (const f64 w : x.w)
    squares += (w - mean) * (w - mean);
  const f64 bound = x.max() - n * std::sqrt(squares / count);
  const f64 least = kth_largest(x.w, min_keep);
  filter(x, [&](std::size_t i) { return x.w[i] >= bound || x.w[i] >= least; });
}

void exclude_top_choices(TokenWeights& x, f64 threshold, i64 min_keep) {
  if (x.empty()) return;
  std::vector<f64> p;
  x.softmax(p);
  i64 likely = 0;
  std::size_t stays = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] < threshold) continue;
    if (likely == 0 || p[i] < p[stays]) stays = i;
    ++likely;
  }
  if (likely < 2 || isize(p) - likely + 1 < min_keep) return;
  filter(x, [&](std::size_t i) { return p[i] < threshold || i == stays; });
}

std::vector<u8> breaker_tokens(const text::Tokenizer& tokenizer, i64 vocab,
                               std::span<const std::string> strings) {
  std::vector<u8> out(usize(vocab), 0);
  for (i64 id = 0; id < std::min(vocab, tokenizer.vocab_size()); ++id) {
    if (!tokenizer.has(static_cast<i32>(id))) continue;
    const std::string bytes = tokenizer.token_bytes(static_cast<i32>(id), true);
    for (const std::string& text : strings)
      if (bytes.find(text) != std::string::npos) out[usize(id)] = 1;
  }
  return out;
}

}  // namespace lm::decode
