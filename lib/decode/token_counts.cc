#include "decode/token_counts.h"

#include <algorithm>

#include "core/error.h"

namespace lm::decode {

void TokenCounts::count(std::span<const i32> tokens, i64 first) {
  LM_CHECK(first >= 0 && first <= isize(tokens), "a window lies in its text");
  const bool grows = first >= first_ && tokens.size() >= tokens_.size() &&
                     std::equal(tokens_.begin(), tokens_.end(), tokens.begin());
  if (!grows) {
    tokens_.clear();
    counts_.clear();
    first_ = 0;
  }
  for (std::size_t i = tokens_.size(); i < tokens.size(); ++i)
    add(tokens[i]);
  tokens_.assign(tokens.begin(), tokens.end());
  for (; first_ < first; ++first_)
    remove(tokens[usize(first_)]);
}

void TokenCounts::add(i32 token) {
  const auto at = std::lower_bound(counts_.begin(), counts_.end(), std::pair{token, i64{0}});
  if (at != counts_.end() && at->first == token) {
    ++at->second;
  } else {
    counts_.insert(at, {token, 1});
  }
}

void TokenCounts::remove(i32 token) {
  const auto at = std::lower_bound(counts_.begin(), counts_.end(), std::pair{token, i64{0}});
  if (--at->second == 0) counts_.erase(at);
}

}  // namespace lm::decode
