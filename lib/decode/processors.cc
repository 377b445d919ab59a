#include "decode/processors.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "decode/constraint.h"

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
f64 kth_largest(std::vector<f64> values, i64 k) {
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

/// Position of an id, or -1.
i64 find_id(const TokenWeights& x, i32 id) {
  const auto at = std::lower_bound(x.ids.begin(), x.ids.end(), id);
  return at != x.ids.end() && *at == id ? at - x.ids.begin() : -1;
}

std::map<i32, i64> counts(std::span<const i32> tokens) {
  std::map<i32, i64> out;
  for (const i32 token : tokens)
    ++out[token];
  return out;
}

std::span<const i32> last(std::span<const i32> tokens, i64 n) {
  return n > 0 && n < isize(tokens) ? tokens.last(usize(n)) : tokens;
}

void drop_infinite(TokenWeights& x) {
  filter(x, [&](std::size_t i) { return x.w[i] > -kInf; });
}

/// Indices of the survivors by (key, index) ascending, sorted as far as needed: fn(index) is called
/// in that order until it returns false.
template <typename Fn>
void visit_ascending(const std::vector<f64>& key, Fn fn) {
  std::vector<i32> order(key.size());
  std::iota(order.begin(), order.end(), 0);
  const auto less = [&](i32 a, i32 b) {
    const f64 x = key[static_cast<std::size_t>(a)];
    const f64 y = key[static_cast<std::size_t>(b)];
    return x != y ? x < y : a < b;
  };
  std::size_t done = 0;
  for (std::size_t block = 256; done < order.size(); block *= 8) {
    const std::size_t end = std::min(order.size(), done + block);
    const auto from = order.begin() + static_cast<std::ptrdiff_t>(done);
    const auto to = order.begin() + static_cast<std::ptrdiff_t>(end);
    if (end < order.size()) std::nth_element(from, to, order.end(), less);
    std::sort(from, to, less);
    for (; done < end; ++done)
      if (!fn(static_cast<std::size_t>(order[done]))) return;
  }
}

}  // namespace

bool TokenWeights::assign(std::span<const f32> logits) {
  ids.clear();
  w.clear();
  ids.reserve(logits.size());
  w.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const f64 value = static_cast<f64>(logits[i]);
    if (value == -kInf) continue;
    if (!std::isfinite(value)) return false;
    ids.push_back(static_cast<i32>(i));
    w.push_back(value);
  }
  return true;
}

f64 TokenWeights::max() const {
  f64 top = -kInf;
  for (const f64 value : w)
    top = std::max(top, value);
  return top;
}

f64 TokenWeights::log_sum() const {
  const f64 top = max();
  f64 sum = 0;
  for (const f64 value : w)
    sum += std::exp(value - top);
  return top + std::log(sum);
}

void TokenWeights::softmax(std::vector<f64>& p) const {
  p.resize(w.size());
  const f64 top = max();
  f64 sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    p[i] = std::exp(w[i] - top);
    sum += p[i];
  }
  for (f64& value : p)
    value /= sum;
}

void apply_repetition(TokenWeights& x, const History& history, f64 theta, i64 last_n) {
  for (const auto& [id, count] : counts(last(history.tokens, last_n))) {
    const i64 at = find_id(x, id);
    if (at < 0) continue;
    f64& w = x.w[usize(at)];
    w = w < 0 ? w * theta : w / theta;
  }
}

void apply_frequency(TokenWeights& x, const History& history, f64 frequency, f64 presence, bool all,
                     i64 last_n) {
  const std::span<const i32> seen =
      last(all ? history.tokens : history.tokens.subspan(usize(history.prompt)), last_n);
  for (const auto& [id, count] : counts(seen)) {
    const i64 at = find_id(x, id);
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
    const i64 at = find_id(x, tokens[usize(i)]);
    if (at >= 0) x.w[usize(at)] = -kInf;
  }
  drop_infinite(x);
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
    const i64 at = find_id(x, id);
    if (at >= 0) x.w[usize(at)] -= multiplier * std::pow(base, static_cast<f64>(match - allowed));
  }
  drop_infinite(x);
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
  // All tokens below limit / n together stay below the limit: they are the first of the ascending
  // order and go without being sorted.
  const f64 small = limit / static_cast<f64>(prob.size());
  std::vector<i32> rest;
  f64 sum = 0;
  std::vector<u8> gone(prob.size(), 0);
  i64 left = isize(x.ids);
  for (std::size_t i = 0; i < prob.size(); ++i) {
    if (prob[i] < small) {
      sum += prob[i];
      gone[i] = 1;
      --left;
    } else {
      rest.push_back(static_cast<i32>(i));
    }
  }
  if (left < min_keep) {  // rare: more must stay than are likely
    std::fill(gone.begin(), gone.end(), u8{0});
    rest.resize(prob.size());
    std::iota(rest.begin(), rest.end(), 0);
    left = isize(x.ids);
    sum = 0;
  }
  std::sort(rest.begin(), rest.end(), [&](i32 a, i32 b) {
    const f64 pa = prob[static_cast<std::size_t>(a)];
    const f64 pb = prob[static_cast<std::size_t>(b)];
    return pa != pb ? pa < pb : a > b;
  });
  for (const i32 i : rest) {
    sum += prob[static_cast<std::size_t>(i)];
    if (sum > limit || left <= min_keep) break;
    gone[static_cast<std::size_t>(i)] = 1;
    --left;
  }
  filter(x, [&](std::size_t i) { return gone[i] == 0; });
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
  x.softmax(p);
  const f64 log_sum = x.log_sum();
  const f64 h = entropy(p, x, log_sum);
  std::vector<f64> delta(p.size());
  for (std::size_t i = 0; i < p.size(); ++i)
    delta[i] = std::abs(log_sum - x.w[i] - h);
  std::vector<u8> keep(p.size(), 0);
  f64 sum = 0;
  i64 count = 0;
  bool full = false;  // the mass is reached
  f64 bound = 0;
  visit_ascending(delta, [&](std::size_t i) {
    if (full && count >= min_keep && (cut || delta[i] > bound)) return false;
    keep[i] = 1;
    ++count;
    if (full) return true;
    sum += p[i];
    bound = delta[i];
    full = cut ? sum > tau : sum >= tau;
    return true;
  });
  filter(x, [&](std::size_t i) { return keep[i] != 0; });
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
  x.softmax(p);
  const f64 h = entropy(p, x, x.log_sum());
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

Sampler::Sampler(const SampleParams& params, std::vector<i32> ends,
                 std::shared_ptr<const std::vector<u8>> breaker)
    : params_(params),
      order_(parse_order(params.sampler_order).value()),
      ends_(std::move(ends)),
      breaker_(std::move(breaker)) {}

void Sampler::rules(const History& history) {
  const i64 output = isize(history.tokens) - history.prompt;
  for (const auto& [id, bias] : params_.logit_bias) {
    const i64 at = find_id(x_, id);
    if (at >= 0) x_.w[usize(at)] += bias;
  }
  if (output < params_.min_tokens) {
    for (const i32 id : ends_) {
      const i64 at = find_id(x_, id);
      if (at >= 0) x_.w[usize(at)] = -kInf;
    }
  }
  drop_infinite(x_);
}

void Sampler::step(Step step, const History& history, const DrawPoint& at) {
  const SampleParams& p = params_;
  if (x_.empty()) return;
  const bool truncates = step >= Step::kTemperature;
  if (truncates && p.temperature == 0) return;  // greedy
  switch (step) {
    case Step::kRepetition:
      if (p.repetition_penalty != 1)
        apply_repetition(x_, history, p.repetition_penalty, p.penalty_last_n);
      return;
    case Step::kFrequency:
      if (p.frequency_penalty != 0 || p.presence_penalty != 0)
        apply_frequency(x_, history, p.frequency_penalty, p.presence_penalty, p.penalty_all,
                        p.penalty_last_n);
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
      for (f64& w : x_.w)
        w /= std::max(p.temperature, 1e-100);  // stays finite
      return;
    case Step::kTopK:
      if (p.top_k > 0) keep_top_k(x_, p.top_k, p.min_keep);
      return;
    case Step::kTopP:
      if (p.top_p < 1) keep_top_p(x_, p.top_p, p.min_keep);
      return;
    case Step::kMinP:
      if (p.min_p > 0) keep_min_p(x_, p.min_p, p.min_keep);
      return;
    case Step::kTypical:
      if (p.typical < 1) keep_typical(x_, p.typical, p.typical_cut, p.min_keep);
      return;
    case Step::kEpsilon:
      if (p.epsilon > 0) keep_epsilon(x_, p.epsilon, p.min_keep);
      return;
    case Step::kEta:
      if (p.eta > 0) keep_eta(x_, p.eta, p.min_keep);
      return;
    case Step::kTopNSigma:
      if (p.top_n_sigma > 0) keep_top_n_sigma(x_, p.top_n_sigma, p.min_keep);
      return;
    case Step::kXtc: {
      if (p.xtc_probability <= 0) return;
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
  // Where all that is drawn is refused, constraints are asked for the way to an end.
  for (const i64 may : {left, i64{0}}) {
    if (!x_.assign(logits)) return Fault{"logits", "the model's logits are not numbers", -1};
    rules(history);
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

}  // namespace lm::decode
