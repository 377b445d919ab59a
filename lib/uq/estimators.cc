#include "uq/estimators.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/str.h"

namespace lm::uq {

namespace {

template <f64 InverseMeasures::*measure>
f64 inverse_mean(Evidence& e) {
  const InverseResult* result = e.inverse();
  return result == nullptr ? std::numeric_limits<f64>::quiet_NaN() : result->mean.*measure;
}

f64 inverse_single(Evidence& e) {
  const InverseResult* result = e.inverse();
  return result == nullptr ? std::numeric_limits<f64>::quiet_NaN() : result->single;
}

using M = InverseMeasures;
constexpr Estimator kInverse[] = {
    {"inv_entropy", "prompt samples perturb", "H(X|Y) on the diagonal, mean over draws",
     Cost::kRewordings, false, inverse_mean<&M::inv_entropy>},
    {"nr_inv_entropy", "prompt samples perturb", "inv_entropy of one draw", Cost::kRewordings,
     false, inverse_single},
    {"ni_entropy", "prompt samples perturb", "H(Y|X) on the diagonal", Cost::kRewordings, false,
     inverse_mean<&M::ni_entropy>},
    {"inv_trace", "prompt samples perturb", "trace(P_y P_x): monotone", Cost::kRewordings, false,
     inverse_mean<&M::inv_trace>},
    {"inv_dual", "prompt samples perturb", "trace(P_y)", Cost::kRewordings, false,
     inverse_mean<&M::inv_dual>},
    {"inv_wd", "prompt samples perturb", "distance of the values of P(X) and P(Y)",
     Cost::kRewordings, false, inverse_mean<&M::wd_px_py>},
    {"inv_max_pyx", "prompt samples perturb", "max P(y|x)", Cost::kRewordings, false,
     inverse_mean<&M::inv_max_pyx>},
    {"inv_max_py", "prompt samples perturb", "max P(y)", Cost::kRewordings, false,
     inverse_mean<&M::inv_max_py>},
    {"spuq", "prompt samples perturb", "1 - mean similarity, weighted by the prompts'",
     Cost::kRewordings, false, inverse_mean<&M::spuq>},
};

bool is_digit(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

// The number at text[at], with "%" or "/ whole" behind it, as a share.
std::optional<f64> share_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (is_digit(text, end) || (end < text.size() && text[end] == '.' && is_digit(text, end + 1)))
    ++end;
  const std::optional<f64> number = parse_float(text.substr(at, end - at));
  if (!number) return std::nullopt;
  while (end < text.size() && text[end] == ' ')
    ++end;
  f64 share = *number;
  if (end < text.size() && text[end] == '%') {
    share /= 100;
  } else if (end < text.size() && text[end] == '/' && is_digit(text, end + 1)) {
    std::size_t stop = end + 1;
    while (is_digit(text, stop))
      ++stop;
    const f64 whole = parse_float(text.substr(end + 1, stop - end - 1)).value_or(0);
    share = whole > 0 ? share / whole : -1;
  } else if (share > 1 && share <= 100 && text.substr(at, end - at).find('.') == text.npos) {
    share /= 100;  // "confidence: 85"
  }
  if (!(share >= 0 && share <= 1)) return std::nullopt;
  return share;
}

}  // namespace

std::span<const Estimator> inverse_estimators() {
  return kInverse;
}

std::span<const Estimator> estimators() {
  static const std::vector<Estimator> kAll = [] {
    std::vector<Estimator> all;
    for (const std::span<const Estimator> part :
         {token_estimators(), sample_estimators(), inverse_estimators()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return kAll;
}

const Estimator* find_estimator(std::string_view name) {
  for (const Estimator& one : estimators()) {
    if (name == one.name) return &one;
  }
  return nullptr;
}

std::vector<std::string> estimator_names() {
  std::vector<std::string> out;
  for (const Estimator& one : estimators())
    out.emplace_back(one.name);
  return out;
}

i64 generations(Cost cost, const Generated& generated) {
  switch (cost) {
    case Cost::kGreedy:
      return 1;
    case Cost::kSamples:
      return generated.samples;
    case Cost::kBoth:
      return generated.samples + 1;
    case Cost::kOneMore:
      return 2;
    case Cost::kTrueVotes:
      return generated.votes + 1;
    case Cost::kRewordings:
      return generated.rewordings;
  }
  return 0;
}

std::optional<f64> stated_confidence(std::string_view text, bool anywhere) {
  std::size_t at = 0;
  if (!anywhere) {
    const std::string lower = ascii_lower(text);
    std::size_t found = std::string::npos;
    for (const std::string_view word : {"confidence", "probability"}) {
      const std::size_t last = lower.rfind(word);
      if (last != std::string::npos && (found == std::string::npos || last > found)) found = last;
    }
    if (found == std::string::npos) return std::nullopt;
    at = found;
  }
  for (; at < text.size(); ++at) {
    if (!is_digit(text, at) || (at > 0 && (is_digit(text, at - 1) || text[at - 1] == '.')))
      continue;
    if (const std::optional<f64> share = share_at(text, at)) return share;
  }
  return std::nullopt;
}

}  // namespace lm::uq
