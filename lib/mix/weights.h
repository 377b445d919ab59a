#pragma once
// How often each source is read: from what its documents hold and what is wanted of the mixture, a
// rate per source, the copies of each of its documents on average.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::mix {

/// What there is of a source: documents and their tokens or bytes.
struct SourceSize {
  i64 documents = 0;
  i64 amount = 0;
};

struct Weights {
  enum class Kind { kNatural, kExplicit, kTemperature, kUnimax };
  Kind kind = Kind::kNatural;              // kNatural: in proportion to the amounts
  std::map<std::string, f64> shares = {};  // kExplicit
  f64 value = 1;                           // the exponent of kTemperature; epochs of kUnimax
};

/// "web=3,books=1", "temperature:0.3", "unimax:4". Throws Error{kUsage} "--weights: ...".
Weights parse_weights(std::string_view text);

struct SourceRate {
  std::string source;
  SourceSize size;
  f64 rate = 0;  // epochs: 0 never, 1 as it is, 2.5 two and a half times
};

/// Rates by which about `budget` of the amount is written, by default as much as there is.
/// kTemperature: shares in proportion to n^value (Conneau, Lample 2019). kUnimax: sources by
/// ascending size each take an equal part of what is left of the budget, at most value times what
/// they have (Chung et al. 2023); so less than the budget may be written. Sources in order of
/// their names. Throws Error{kData} for an explicit weight of a source that is not there, a source
/// without one, a wanted source of which there is nothing, and a rate above kMostCopies.
std::vector<SourceRate> source_rates(const Weights& weights, std::optional<f64> budget,
                                     const std::map<std::string, SourceSize>& sources);

}  // namespace lm::mix
