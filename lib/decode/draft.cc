#include "decode/draft.h"

#include <algorithm>

#include "core/hash.h"

namespace lm::decode {

std::size_t PromptLookup::Hash::operator()(const Gram& gram) const {
  u64 hash = 0;
  for (const i32 token : gram)
    hash = mix64((hash + 0x9e3779b97f4a7c15ULL) ^ static_cast<u32>(token));
  return hash;
}

PromptLookup::Gram PromptLookup::gram_before(std::span<const i32> history, i64 end, i64 size) {
  Gram gram;
  gram.fill(-1);
  std::copy(history.begin() + end - size, history.begin() + end, gram.begin() + kLongest - size);
  return gram;
}

void PromptLookup::propose(std::span<const i32> history, i64 most, std::vector<i32>& out) {
  for (; known_ < isize(history); ++known_) {
    for (i64 size = 1; size <= std::min(kLongest, known_); ++size)
      after_[gram_before(history, known_, size)] = known_;
  }
  for (i64 size = std::min(kLongest, isize(history)); size > 0; --size) {
    const auto found = after_.find(gram_before(history, isize(history), size));
    if (found == after_.end()) continue;
    const i64 end = std::min(isize(history), found->second + most);
    out.insert(out.end(), history.begin() + found->second, history.begin() + end);
    return;
  }
}

i64 DraftPace::next() {
  if (pause_ == 0) return reach_;
  --pause_;
  return 0;
}

void DraftPace::learn(i64 guessed, i64 right) {
  misses_ = right > 0 ? 0 : std::min<i64>(misses_ + 1, 5);
  pause_ = misses_ > 0 ? (i64{1} << (misses_ - 1)) - 1 : 0;
  reach_ = right == guessed ? std::min(most_, 2 * std::max(reach_, right)) : right + 1;
}

}  // namespace lm::decode
