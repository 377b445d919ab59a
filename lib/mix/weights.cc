#include "mix/weights.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "mix/sample.h"

namespace lm::mix {

namespace {

Error bad_weights(std::string_view text, std::string_view what) {
  return {ErrorKind::kUsage, cat("--weights: ", quote(text), ": ", what),
          "SOURCE=WEIGHT,... or temperature:ALPHA or unimax:EPOCHS"};
}

f64 positive(std::string_view whole, std::string_view text) {
  const std::optional<f64> value = parse_float(text);
  if (!value || !std::isfinite(*value) || *value < 0)
    throw bad_weights(whole, cat(quote(text), " is no number of 0 or more"));
  return *value;
}

}  // namespace

Weights parse_weights(std::string_view text) {
  Weights out;
  for (const auto& [prefix, kind] : {std::pair("temperature:", Weights::Kind::kTemperature),
                                     std::pair("unimax:", Weights::Kind::kUnimax)}) {
    if (!text.starts_with(prefix)) continue;
    out.kind = kind;
    out.value = positive(text, text.substr(std::string_view(prefix).size()));
    return out;
  }
  out.kind = Weights::Kind::kExplicit;
  f64 sum = 0;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t sign = part.rfind('=');
    if (sign == std::string_view::npos)
      throw bad_weights(text, cat(quote(part), " is not SOURCE=WEIGHT"));
    const f64 share = positive(text, part.substr(sign + 1));
    if (!out.shares.emplace(part.substr(0, sign), share).second)
      throw bad_weights(text, cat("source ", quote(part.substr(0, sign)), " is named twice"));
    sum += share;
  }
  if (!(sum > 0)) throw bad_weights(text, "no weight is above 0");
  return out;
}

namespace {

/// What each source is to give, by an equal claim on what is left.
void share_evenly(f64 budget, f64 epochs, std::vector<SourceRate>& rates) {
  std::vector<SourceRate*> order;
  for (SourceRate& one : rates) {
    if (one.size.amount > 0) order.push_back(&one);
  }
  std::stable_sort(order.begin(), order.end(), [](const SourceRate* a, const SourceRate* b) {
    return a->size.amount < b->size.amount;
  });
  for (std::size_t i = 0; i < order.size(); ++i) {
    const f64 has = static_cast<f64>(order[i]->size.amount);
    const f64 takes = std::min(budget / static_cast<f64>(order.size() - i), epochs * has);
    order[i]->rate = takes / has;
    budget -= takes;
  }
}

f64 share_of(const Weights& weights, const SourceRate& one) {
  const f64 has = static_cast<f64>(one.size.amount);
  switch (weights.kind) {
    case Weights::Kind::kExplicit: {
      const auto found = weights.shares.find(one.source);
      if (found == weights.shares.end())
        throw Error(ErrorKind::kData,
                    cat("--weights: source ", quote(one.source), " has no weight"),
                    "a weight of 0 leaves it out");
      if (found->second > 0 && one.size.amount == 0)
        throw Error(ErrorKind::kData,
                    cat("--weights: there is nothing of source ", quote(one.source)));
      return found->second;
    }
    case Weights::Kind::kTemperature:
      return one.size.amount == 0 ? 0 : std::pow(has, weights.value);
    default:
      return has;
  }
}

}  // namespace

namespace {

std::vector<SourceRate> all_rates(const Weights& weights, std::optional<f64> budget,
                                  const std::map<std::string, SourceSize>& sources) {
  std::vector<SourceRate> rates;
  f64 total = 0;
  for (const auto& [name, size] : sources) {
    rates.push_back({name, size, 0});
    total += static_cast<f64>(size.amount);
  }
  for (const auto& [name, share] : weights.shares) {
    if (sources.count(name) == 0 && share > 0)
      throw Error(ErrorKind::kData, cat("--weights: there is nothing of source ", quote(name)));
  }
  const f64 wanted = budget.value_or(total);
  if (weights.kind == Weights::Kind::kUnimax) {
    share_evenly(wanted, weights.value, rates);
    return rates;
  }
  std::vector<f64> shares;
  f64 sum = 0;
  for (const SourceRate& one : rates) {
    shares.push_back(share_of(weights, one));
    sum += shares.back();
  }
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const f64 has = static_cast<f64>(rates[i].size.amount);
    rates[i].rate = shares[i] > 0 ? wanted * (shares[i] / sum) / has : 0;
  }
  return rates;
}

}  // namespace

std::vector<SourceRate> source_rates(const Weights& weights, std::optional<f64> budget,
                                     const std::map<std::string, SourceSize>& sources) {
  std::vector<SourceRate> rates = all_rates(weights, budget, sources);
  for (const SourceRate& one : rates) {
    if (one.rate > kMostCopies)
      throw Error(ErrorKind::kData,
                  cat("source ", quote(one.source), " would be written ", format_fixed(one.rate, 1),
                      " times over, expected at most ", kMostCopies),
                  "a smaller --budget or a smaller weight");
  }
  return rates;
}

}  // namespace lm::mix
