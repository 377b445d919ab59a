#pragma once
// fastText's model files (.bin, .ftz), checked before the library reads them: it takes counts and
// sizes as they are written and allocates, divides and indexes by them.
// Layout: magic, version, settings, dictionary, input matrix, output matrix; little-endian.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"

namespace lm::classify {

inline constexpr std::string_view kLabelPrefix = "__label__";
inline constexpr i64 kMaxGram = 32;  // longest n-gram of words or characters that a model may ask

/// What a checked file says of itself.
struct ModelFile {
  i64 version = 0;
  i64 dim = 0;
  i64 word_grams = 0;
  i64 buckets = 0;
  i64 max_subword = 0;  // 0: words have no parts
  i64 words = 0;
  bool pruned = false;
  std::vector<std::pair<i32, i32>> kept_buckets;  // of a pruned model: bucket, row behind the words
  std::vector<std::string> labels;                // with their prefix, by number
};

/// Checks a whole file, so that the library can load it and predict with it whatever it holds:
/// counts against the file's length, rows against what words and n-grams index, weights against
/// overflow. Throws Error{kData} that names path, the place and what was expected there. O(bytes).
ModelFile check_model(std::string_view bytes, const std::string& path);

}  // namespace lm::classify
