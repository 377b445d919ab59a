#pragma once
// Keyed draws: whether a record stays and how often is a function of the seed, its source and its
// id, never of its place. So a sample is the same after re-sharding, and a larger one contains the
// smaller.

#include <string>
#include <string_view>

#include "core/result.h"
#include "core/types.h"
#include "io/json.h"

namespace lm::mix {

/// u in [0, 1): the top 53 bits of XXH3-64(salt 0 source 0 id, seed) / 2^53. key: scratch.
f64 keyed_uniform(u64 seed, std::string_view salt, std::string_view source, std::string_view id,
                  std::string& key);

/// The 64 bits that u is made of.
u64 keyed_bits(u64 seed, std::string_view salt, std::string_view source, std::string_view id,
               std::string& key);

/// More copies than anyone wants, and few enough that a batch of them fits into memory.
inline constexpr f64 kMostCopies = 100;

/// Copies of a record at rate p >= 0: floor(p), and one more if u < p - floor(p). Monotone in p.
i64 copies_of(f64 p, f64 u);

/// The field as an id: a string's content or a number's token. Fault missing / type.
Result<std::string_view> id_text(io::JsonReader& json, i64 field);
/// The same of a field that need not be there: then it is "".
Result<std::string_view> source_text(io::JsonReader& json, i64 field);

}  // namespace lm::mix
