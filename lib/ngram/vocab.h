#pragma once
// The words of a model under construction. Ids are dense and follow first appearance, after the
// three symbols every model has; so they do not depend on threads. Words are any non-empty bytes
// without blanks. Thread rule: const members may run concurrently, add() is exclusive.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "core/types.h"

namespace lm::ngram {

inline constexpr u32 kUnk = 0;  // <unk>: every word that training did not see
inline constexpr u32 kBos = 1;  // <s>: context only, never predicted
inline constexpr u32 kEos = 2;  // </s>
inline constexpr int kMaxOrder = 10;
/// Ids stay below 2^31: the count trie keeps one flag beside them.
inline constexpr i64 kMaxVocab = (i64{1} << 31) - 1;

inline u64 word_hash(std::string_view word) {
  return xxh3_64(word);
}
/// True for the bytes that separate words: blank, tab, carriage return, newline, NUL.
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/// Calls put(word) for everything that stands between blanks.
template <typename Put>
void each_blank_word(std::string_view text, const Put& put) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    while (at < end && is_blank(*at))
      ++at;
    const char* const begin = at;
    while (at < end && !is_blank(*at))
      ++at;
    if (at > begin) put(std::string_view(begin, static_cast<std::size_t>(at - begin)));
  }
}

class Vocab {
 public:
  Vocab();
  i64 size() const { return isize(begin_) - 1; }
  /// The id of word, given its word_hash; a new one if it was not there. Throws Error{kData} when
  /// the ids run out. Amortised O(1).
  u32 add(std::string_view word, u64 hash);
  u32 add(std::string_view word) { return add(word, word_hash(word)); }
  std::optional<u32> find(std::string_view word) const;
  /// The spelling; valid until the next add().
  std::string_view word(u32 id) const {
    return std::string_view(bytes_).substr(begin_[id], begin_[id + 1] - begin_[id]);
  }
  /// Memory held, for charging the budget.
  i64 memory_bytes() const;

 private:
  struct Slot {
    u64 hash;
    u32 id_plus_1;  // 0 = empty
  };
  std::size_t probe(std::string_view word, u64 hash) const;
  void grow();

  std::vector<Slot> slots_;  // power of two, load at most 1/2
  std::string bytes_;
  std::vector<u64> begin_;
};

}  // namespace lm::ngram
